// Which values share memory. That kernels may overwrite a residual: conformance_test.cpp.

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/ops/op.h"
#include "engine/plan/plan.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 16;

// a -> b (1x1) -> c (1x1), c + a -> sum (ReLU) -> end
struct Residual {
  Residual() {
    testing::RandomNet net(7);
    a = net.conv("a", net.input(), 3, {.oc = 16, .kernel = 1});
    const ValueId b = net.conv("b", a, 16, {.oc = 16, .kernel = 1});
    const ValueId c = net.conv("c", b, 16, {.oc = 16, .kernel = 1});
    sum = net.node(kRelu, "sum", {net.node(kAdd, "c+a", {c, a})});
    end = net.conv("end", sum, 16, {.oc = 8, .kernel = 1});
    graph = net.finish(3, kSize, kSize);
  }
  ValueId a, sum, end;
  Graph graph;
};

Plan planned(Graph graph, const std::vector<ValueId>& values) {
  std::vector<Delivery> deliveries;
  for (const ValueId value : values) deliveries.push_back({value, Pooling::kNone});
  EXPECT_TRUE(run_passes(graph, values, {}).ok());
  return lay_out(graph, deliveries, {.threads = 2}).value();
}

const Step& step_with_residual(const Plan& plan) {
  const auto found = std::find_if(plan.steps.begin(), plan.steps.end(),
                                  [](const Step& step) { return step.residual >= 0; });
  EXPECT_NE(found, plan.steps.end());
  return *found;
}

bool in_one_place(const Plan& plan, int a, int b) {
  return plan.buffers[a].offset_bytes == plan.buffers[b].offset_bytes;
}

bool overwrites(const Plan& plan) {
  const Step& step = step_with_residual(plan);
  return in_one_place(plan, step.dst, step.residual);
}

TEST(PlaceBuffers, ASumTakesThePlaceOfItsResidual) {
  const Residual net;
  const Plan plan = planned(net.graph, {net.end});
  EXPECT_TRUE(overwrites(plan));
  // a (and then the sum), b: nothing else lives at the same time.
  const Step& step = step_with_residual(plan);
  const auto bytes =
      static_cast<uint64_t>(plan.buffers[step.dst].desc.image_stride) * sizeof(float);
  EXPECT_LE(plan.arena_bytes, 2 * bytes + 64);
}

TEST(PlaceBuffers, ATapBeforeIsDeliveredBeforeItIsOverwritten) {
  const Residual net;
  EXPECT_TRUE(overwrites(planned(net.graph, {net.a, net.end})));
  EXPECT_TRUE(overwrites(planned(net.graph, {net.sum, net.end})));
}

TEST(PlaceBuffers, WhatIsReadLaterKeepsItsPlace) {
  testing::RandomNet net(8);
  const ValueId a = net.conv("a", net.input(), 3, {.oc = 16, .kernel = 1});
  const ValueId b = net.conv("b", a, 16, {.oc = 16, .kernel = 1});
  const ValueId sum = net.node(kAdd, "b+a", {b, a});
  const ValueId later = net.conv("later", a, 16, {.oc = 16, .kernel = 1});
  const ValueId end =
      net.conv("end", net.node(kConcat, "both", {sum, later}), 32, {.oc = 8, .kernel = 1});
  const Graph graph = net.finish(3, kSize, kSize);
  EXPECT_FALSE(overwrites(planned(graph, {end})));
}

// A convolution reads its neighbours' src after they have written dst.
TEST(PlaceBuffers, ASumOfAMapAndItsOwnConvolutionKeepsBoth) {
  testing::RandomNet net(9);
  const ValueId a = net.conv("a", net.input(), 3, {.oc = 16, .kernel = 1});
  const ValueId b = net.conv("b", a, 16, {.oc = 16, .kernel = 1});
  const ValueId sum = net.node(kAdd, "b+a", {b, a});
  const Graph graph = net.finish(3, kSize, kSize);
  const Plan plan = planned(graph, {sum});
  const Step& step = step_with_residual(plan);
  ASSERT_EQ(step.src[0], step.residual);
  EXPECT_FALSE(overwrites(plan));
}

// Its kernel stores the sums of products first, and adds what it finds there afterwards.
TEST(PlaceBuffers, ADepthwiseSumDoesNotTakeThePlaceOfItsResidual) {
  testing::RandomNet net(10);
  const ValueId a = net.conv("a", net.input(), 3, {.oc = 16, .kernel = 1});
  const ValueId b = net.conv("b", a, 16, {.oc = 16, .kernel = 3, .groups = 16});
  const ValueId c = net.conv("c", a, 16, {.oc = 16, .kernel = 3, .groups = 16});
  const ValueId sum = net.node(kAdd, "c+b", {c, b});
  const ValueId end = net.conv("end", sum, 16, {.oc = 8, .kernel = 1});
  EXPECT_FALSE(overwrites(planned(net.finish(3, kSize, kSize), {end})));
}

// Of any two values that live at the same time none lies where the other does.
TEST(PlaceBuffers, NothingThatIsStillNeededIsOverwritten) {
  for (const uint32_t seed : {1, 2, 3, 4, 5, 6}) {
    for (Graph graph : {testing::mixed_net(seed, 40), testing::inverted_residual_net(seed, 40)}) {
      const Plan plan = planned(graph, {graph.nodes.back().output});
      const auto count = static_cast<int>(plan.steps.size());
      std::vector<int> owner(plan.arena_bytes / 64, -1);  // of each line
      const auto lines = [&](int buffer, const auto& visit) {
        const Buffer& b = plan.buffers[buffer];
        if (b.desc.ring_rows > 0) return;
        const uint64_t bytes = static_cast<uint64_t>(b.desc.image_stride * plan.images_at_once) * 4;
        for (uint64_t i = b.offset_bytes / 64; i < (b.offset_bytes + bytes + 63) / 64; ++i)
          visit(owner[i]);
      };
      for (int s = 0; s < count; ++s) {
        const Step& step = plan.steps[s];
        std::vector<int> read = step.src;
        if (step.residual >= 0) read.push_back(step.residual);
        for (const int buffer : read)
          lines(buffer, [&](int who) { EXPECT_EQ(who, buffer) << seed << " " << step.name; });
        if (step.dst < 0) continue;
        lines(step.dst, [&](int& who) {
          EXPECT_EQ(std::count(step.src.begin(), step.src.end(), who), 0) << seed << step.name;
          EXPECT_TRUE(who != step.residual || who < 0 || in_one_place(plan, step.dst, who));
          who = step.dst;
        });
      }
    }
  }
}

}  // namespace
}  // namespace penult
