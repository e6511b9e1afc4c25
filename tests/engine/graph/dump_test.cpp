#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/engine/graph/small_graph.h"

namespace penult {
namespace {

using testing::HasSubstr;

TEST(Dump, ShowsEachNodeOnOneLineWithShapesAndFusions) {
  SmallGraph g;
  const ValueId a = g.conv("a", g.graph.input, {3, 3, 3, 3}, 2,
                           Attributes().set("pad_mode", 1).set("pads", {0, 0, 0, 0}));
  const ValueId b = g.conv("b", a, {3, 3, 1, 1});
  const WeightId bn = g.weight({3});
  g.graph.nodes[1].fused = {FoldedBatchnorm{bn, bn, bn, bn, 1e-5f}, a, Activation::clamp(0, 6)};
  g.graph.outputs = {b};
  ASSERT_TRUE(validate(g.graph).ok());
  ASSERT_TRUE(infer_shapes(g.graph, 3, 8, 8).ok());
  EXPECT_EQ(dump(g.graph),
            "input = input -> (3,8,8)\n"
            "a = conv2d(input) w0 dilations=(1,1) groups=(1) pad_mode=(0) pads=(0,0,1,1) "
            "strides=(2,2) -> (3,4,4)\n"
            "b = conv2d(a) w1 dilations=(1,1) groups=(1) pad_mode=(0) pads=(0,0,0,0) "
            "strides=(1,1) | batchnorm w2 | add a | clamp 0..6 -> (3,4,4) *\n");
}

TEST(Dump, SurvivesBrokenGraphsAndEscapesNames) {
  SmallGraph g;
  g.relu("a\nb", 77);
  g.graph.nodes.push_back({});
  g.graph.input = 5;
  const std::string text = dump(g.graph);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
  EXPECT_THAT(text, HasSubstr("a\\x0ab = relu(?77)"));
}

}  // namespace
}  // namespace penult
