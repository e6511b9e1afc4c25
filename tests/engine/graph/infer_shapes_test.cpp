#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>

#include "tests/engine/graph/small_graph.h"

namespace penult {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Status infer(SmallGraph& g, int64_t c, int64_t h, int64_t w) {
  const Status status = validate(g.graph);
  return status.ok() ? infer_shapes(g.graph, c, h, w) : status;
}

TEST(InferShapes, FollowsTheGraphFromTheInput) {
  SmallGraph g;
  const ValueId a =
      g.conv("a", g.graph.input, {32, 3, 3, 3}, 2, Attributes().set("pads", {1, 1, 1, 1}));
  const ValueId b = g.batchnorm("b", a, 32);
  const ValueId c = g.relu("c", b);
  const ValueId d = g.add("d", c, b);
  const ValueId e = g.graph.add_node(kGlobalAvgPool, "e", {d});
  const ValueId f = g.graph.add_node(kLinear, "f", {e}, {g.weight({10, 32})});
  ASSERT_TRUE(infer(g, 3, 224, 160).ok());
  EXPECT_EQ(g.shape(g.graph.input), Shape::map(3, 224, 160));
  for (const ValueId map : {a, b, c, d}) EXPECT_EQ(g.shape(map), Shape::map(32, 112, 80));
  EXPECT_EQ(g.shape(e), Shape::vector(32));
  EXPECT_EQ(g.shape(f), Shape::vector(10));
}

TEST(InferShapes, ResolvesSamePaddingAnewForEachSize) {
  SmallGraph g;
  g.conv("a", g.graph.input, {8, 3, 3, 3}, 2, Attributes().set("pad_mode", 1));
  const auto pads = [&] { return g.graph.nodes[0].resolved.find("pads")->ints; };
  ASSERT_TRUE(infer(g, 3, 224, 225).ok());
  EXPECT_THAT(pads(), ElementsAre(0, 1, 1, 1));
  EXPECT_EQ(g.shape(1), Shape::map(8, 112, 113));
  ASSERT_TRUE(infer(g, 3, 97, 96).ok());
  EXPECT_THAT(pads(), ElementsAre(1, 0, 1, 1));
  EXPECT_EQ(g.shape(1), Shape::map(8, 49, 48));
  EXPECT_EQ(g.graph.nodes[0].resolved.get_int("pad_mode"), 0);
  EXPECT_EQ(g.graph.nodes[0].attrs.get_int("pad_mode"), 1) << "the original stays";
  EXPECT_THAT(g.graph.nodes[0].attrs.find("pads")->ints, ElementsAre(0, 0, 0, 0));
}

TEST(InferShapes, NamesTheNodeThatDoesNotFit) {
  SmallGraph g;
  const ValueId a = g.conv("a", g.graph.input, {8, 3, 3, 3});
  g.conv("layer.1", a, {8, 16, 1, 1});
  const Status status = infer(g, 3, 8, 8);
  EXPECT_EQ(status.code(), StatusCode::kModelInvalid);
  EXPECT_EQ(status.message(),
            "node \"layer.1\" (conv2d): weight \"weight\": expected (8,8,1,1) for input (8,6,6), "
            "got (8,16,1,1)");
}

TEST(InferShapes, RefusesInputSizesOutOfRange) {
  SmallGraph g;
  g.relu("a", g.graph.input);
  EXPECT_EQ(infer(g, 3, 0, 8).code(), StatusCode::kModelInvalid);
  EXPECT_EQ(infer(g, -3, 8, 8).code(), StatusCode::kModelInvalid);
  EXPECT_EQ(infer(g, 3, 8, int64_t{1} << 31).code(), StatusCode::kModelInvalid);
  EXPECT_EQ(infer(g, 3, 1 << 20, 1 << 20).code(), StatusCode::kLimitExceeded);
  EXPECT_EQ(infer(g, 1, 1 << 20, 1 << 20).code(), StatusCode::kOk);
  EXPECT_EQ(infer(g, Graph::kMaxDim, Graph::kMaxDim, Graph::kMaxDim).code(),
            StatusCode::kLimitExceeded);
}

TEST(InferShapes, RefusesAValueOfTooManyElements) {
  SmallGraph g;
  g.conv("wide", g.graph.input, {1 << 20, 1, 1, 1});
  const Status status = infer(g, 1, 1 << 11, 1 << 10);
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
  EXPECT_THAT(status.message(), HasSubstr("node \"wide\""));
}

TEST(InferShapes, RefusesMoreMultiplyAccumulatesThanTheBudget) {
  SmallGraph g;
  ValueId last = g.graph.input;
  // 2^10 channels each way on 2^14 x 2^14 pixels: 2^48 each, so the fifth is too many.
  for (int i = 0; i < 5; ++i) {
    last = g.conv("conv" + std::to_string(i), last, {1 << 10, 1 << 10, 1, 1});
  }
  const Status status = infer(g, 1 << 10, 1 << 14, 1 << 14);
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded);
  EXPECT_THAT(status.message(), HasSubstr("node \"conv4\""));
  EXPECT_TRUE(infer(g, 1 << 10, 1 << 13, 1 << 14).ok());
}

TEST(InferShapes, CountsBeyond64BitsDoNotWrap) {
  SmallGraph g;
  // 2^12 x 2^12 outputs of 2^20 * 2^12 * 2^8 products each: 2^64, which would wrap to 0.
  g.conv("a", g.graph.input, {1, 1 << 20, 1 << 12, 1 << 8}, 1,
         Attributes().set("pads", {3583, 1663, 3584, 1664}));
  const Status status = infer(g, 1 << 20, 1 << 10, 1 << 10);
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded) << status.message();
  EXPECT_EQ(kConv2d
                .infer({g.graph.nodes[0].resolved, std::array{Shape::map(1 << 20, 1024, 1024)},
                        std::array<std::vector<int64_t>, 2>{g.graph.weights[0].dims}})
                ->elems(),
            1 << 24);
}

TEST(InferShapes, ChecksWhatPassesMovedIntoANode) {
  SmallGraph g;
  const ValueId a = g.conv("a", g.graph.input, {4, 4, 1, 1});
  g.conv("b", a, {4, 4, 1, 1}, 2);
  g.graph.nodes[1].fused.residual = a;
  Status status = infer(g, 4, 8, 8);
  EXPECT_EQ(status.code(), StatusCode::kModelInvalid);
  EXPECT_THAT(status.message(),
              HasSubstr("node \"b\" (conv2d): residual: expected (4,4,4), got (4,8,8)"));

  const WeightId c4 = g.weight({4}), c5 = g.weight({5});
  g.graph.nodes[1].fused = {FoldedBatchnorm{c4, c4, c4, c4, 1e-5f}, kNoValue, {}};
  EXPECT_TRUE(infer(g, 4, 8, 8).ok());
  g.graph.nodes[1].fused.batchnorm->var = c5;
  status = infer(g, 4, 8, 8);
  EXPECT_EQ(status.code(), StatusCode::kModelInvalid);
  EXPECT_THAT(status.message(), HasSubstr("expected (4), got (5)"));
}

}  // namespace
}  // namespace penult
