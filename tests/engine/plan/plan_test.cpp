#include "engine/plan/plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/exec/executor.h"
#include "engine/exec/reference_executor.h"
#include "engine/ops/op.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 12;

std::vector<float> random_images(int64_t n) { return testing::random_images(3, n, kSize); }

// input -> c (3 by 3 convolution) -> a (ReLU)
struct SmallNet {
  SmallNet() {
    testing::RandomNet net(11);
    conv = net.conv("c", net.input(), 3, {.oc = 5, .kernel = 3});
    relu = net.node(kRelu, "a", {conv});
    graph = net.finish(3, kSize, kSize);
  }
  ValueId conv, relu;
  Graph graph;
};

using Features = std::vector<std::vector<float>>;

Features room_for(const Graph& graph, const std::vector<Delivery>& deliveries, int64_t n) {
  Features features;
  for (const Delivery& d : deliveries) {
    const Shape& shape = graph.values[d.value].shape;
    const int64_t elems = d.pooling == Pooling::kMax ? shape.c : shape.elems();
    features.emplace_back(static_cast<size_t>(n * elems), -12345.0f);
  }
  return features;
}

std::vector<ValueId> values_of(const std::vector<Delivery>& deliveries) {
  std::vector<ValueId> values;
  for (const Delivery& d : deliveries) values.push_back(d.value);
  return values;
}

Features run_plan(Graph graph, const std::vector<Delivery>& deliveries, int64_t n) {
  EXPECT_TRUE(run_passes(graph, values_of(deliveries), {}).ok());
  Features features = room_for(graph, deliveries, n);
  const Result<Plan> plan = make_plan(graph, deliveries, {.max_batch = n, .threads = 2});
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  auto workspace = Workspace::create(*plan);
  EXPECT_TRUE(workspace.ok()) << workspace.status().message();
  const std::vector<std::span<float>> spans(features.begin(), features.end());
  EXPECT_TRUE((*workspace)->run({.planar = random_images(n).data()}, n, spans).ok());
  return features;
}

TEST(Plan, DeliversTheInputItself) {
  const SmallNet net;
  const std::vector<Delivery> deliveries = {{net.graph.input}, {net.relu}};
  EXPECT_EQ(run_plan(net.graph, deliveries, 2)[0], random_images(2));
  EXPECT_EQ(run_plan(net.graph, {{net.graph.input}}, 2)[0], random_images(2)) << "alone";
}

TEST(Plan, DeliversOneValueSeveralTimes) {
  const SmallNet net;
  const Features got = run_plan(net.graph,
                                {{net.relu},
                                 {net.relu, Pooling::kMax},
                                 {net.conv},
                                 {net.relu},
                                 {net.relu, Pooling::kFlatten}},
                                2);
  EXPECT_EQ(got[0], run_plan(net.graph, {{net.relu}}, 2)[0]);
  EXPECT_EQ(got[3], got[0]);
  EXPECT_EQ(got[4], got[0]);
  for (int64_t i = 0; i < 2 * 5; ++i) {
    const auto plane = got[0].begin() + i * kSize * kSize;
    EXPECT_EQ(got[1][static_cast<size_t>(i)], *std::max_element(plane, plane + kSize * kSize));
  }
  for (size_t i = 0; i < got[2].size(); ++i) EXPECT_EQ(got[0][i], std::max(0.0f, got[2][i]));
}

TEST(Plan, BudgetIsWhatArenaAndScratchNeed) {
  SmallNet net;
  ASSERT_TRUE(run_passes(net.graph, {net.relu}, {}).ok());
  PlanOptions options{.max_batch = 3, .threads = 2};
  const Result<Plan> plan = make_plan(net.graph, {{net.relu}}, options);
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  const uint64_t need = plan->arena_bytes + 2 * plan->scratch_bytes;
  EXPECT_GE(plan->arena_bytes, 3 * 4 * kSize * kSize * 16u);
  options.memory_budget_bytes = need;
  EXPECT_TRUE(make_plan(net.graph, {{net.relu}}, options).ok());
  for (const uint64_t budget : {need - 1, uint64_t{1}, uint64_t{0}}) {
    options.memory_budget_bytes = budget;
    EXPECT_EQ(make_plan(net.graph, {{net.relu}}, options).status().code(),
              StatusCode::kLimitExceeded);
  }
}

TEST(Plan, RefusesABatchWhoseBytesOverflow) {
  SmallNet net;
  ASSERT_TRUE(run_passes(net.graph, {net.relu}, {}).ok());
  const PlanOptions options{.max_batch = std::numeric_limits<int64_t>::max() / 16,
                            .memory_budget_bytes = std::numeric_limits<uint64_t>::max(),
                            .images_at_once = std::numeric_limits<int64_t>::max() / 16};
  EXPECT_EQ(make_plan(net.graph, {{net.relu}}, options).status().code(),
            StatusCode::kLimitExceeded);
}

// What fits goes together, so that weights are read once; what does not goes image by image, and
// takes no more memory than one image.
TEST(ImagesAtOnce, FollowTheCache) {
  const SmallNet net;
  const std::vector<Delivery> deliveries = {{net.relu, Pooling::kNone}};
  const auto planned = [&](uint64_t cache_bytes, int64_t batch) {
    return lay_out(net.graph, deliveries, {.max_batch = batch, .cache_bytes = cache_bytes}).value();
  };
  EXPECT_EQ(planned(1 << 20, 3).images_at_once, 3);
  EXPECT_EQ(planned(1 << 30, 1'000'000).images_at_once, 4);
  EXPECT_EQ(planned(1, 8).images_at_once, 4) << "nothing is lost: not even one image fits";
  const PlanOptions two{.max_batch = 1'000'000, .threads = 2, .cache_bytes = 1 << 30};
  EXPECT_EQ(lay_out(net.graph, deliveries, two).value().images_at_once, 8);
  const Plan one = planned(1 << 20, 1);
  EXPECT_EQ(one.images_at_once, 1);
  uint64_t largest = 0;  // what a step touches of one image
  for (const Step& step : one.steps) {
    uint64_t elems = step.dst >= 0 ? one.buffers[step.dst].desc.image_stride : 0;
    for (const int src : step.src) elems += one.buffers[src].desc.image_stride;
    largest = std::max(largest, elems * sizeof(float));
  }
  ASSERT_GT(largest, one.packed_bytes);
  const Plan alone = planned(largest * 4 / 3 + 4, 8);
  EXPECT_EQ(alone.images_at_once, 1);
  EXPECT_EQ(alone.arena_bytes, one.arena_bytes);
}

}  // namespace
}  // namespace penult
