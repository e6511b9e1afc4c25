// Which steps go through their maps together, and what rings they get. That no bit depends on it:
// fusion_bits_test.cpp.

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "engine/plan/plan.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 40;

Plan planned(Graph graph, const std::vector<ValueId>& values, uint64_t cache_bytes,
             int threads = 2) {
  std::vector<Delivery> deliveries;
  for (const ValueId value : values) deliveries.push_back({value, Pooling::kNone});
  EXPECT_TRUE(run_passes(graph, values, {}).ok());
  return lay_out(graph, deliveries, {.threads = threads, .cache_bytes = cache_bytes}).value();
}

const kernels::TensorDesc& dst_of(const Plan& plan, int step) {
  return plan.buffers[plan.steps[step].dst].desc;
}

class ChooseChains : public ::testing::Test {
 protected:
  const Graph graph = testing::inverted_residual_net(1, kSize);
  const ValueId last = graph.nodes.back().output;
};

TEST_F(ChooseChains, NoneIfMapsFitTheCache) {
  EXPECT_TRUE(planned(graph, {last}, 1 << 20).chains.empty());
  EXPECT_EQ(planned(graph, {last}, 1 << 20).ring_bytes, 0u);
}

// What must hold of the chains of any plan.
void expect_rings_hold_what_the_next_step_needs(const Plan& plan) {
  ASSERT_FALSE(plan.chains.empty());
  int before = -1;
  for (const Chain& chain : plan.chains) {
    EXPECT_GT(chain.first, before);
    ASSERT_GT(chain.last, chain.first);
    ASSERT_EQ(chain.windows.size(), static_cast<size_t>(chain.last - chain.first + 1));
    before = chain.last;
    EXPECT_EQ(dst_of(plan, chain.last).ring_rows, 0);
    int64_t rows = chain.band_rows;
    EXPECT_GE(rows, 1);
    for (int s = chain.last; s > chain.first; --s) {
      const kernels::RowWindow& window = chain.windows[static_cast<size_t>(s - chain.first)];
      rows = (rows - 1) * window.stride + window.extent;
      const kernels::TensorDesc& desc = dst_of(plan, s - 1);
      EXPECT_GE(desc.ring_rows, std::min(rows, desc.shape.h)) << plan.steps[s].name;
      EXPECT_LE(desc.ring_rows, rows) << plan.steps[s].name;
      EXPECT_EQ(desc.image_stride, 0);
      EXPECT_EQ(plan.steps[s].problem.src[0].ring_rows, desc.ring_rows);
      EXPECT_EQ(plan.steps[s - 1].problem.dst.ring_rows, desc.ring_rows);
      EXPECT_LE(plan.buffers[plan.steps[s - 1].dst].offset_bytes +
                    static_cast<uint64_t>(desc.ring_rows * desc.row_stride) * sizeof(float),
                plan.ring_bytes);
    }
  }
}

TEST_F(ChooseChains, EveryChainThereCanBe) {
  for (const int64_t rows : {1, 3, 8}) {
    const Plan plan = planned(graph, {last}, static_cast<uint64_t>(rows));
    expect_rings_hold_what_the_next_step_needs(plan);
    for (const Chain& chain : plan.chains)
      EXPECT_EQ(chain.band_rows, std::min(rows, dst_of(plan, chain.last).shape.h));
  }
}

class ChooseChainsOfLargeMaps : public ::testing::TestWithParam<uint64_t> {};

TEST_P(ChooseChainsOfLargeMaps, FitTheCacheAndKeepTheLargestMap) {
  const uint64_t cache_bytes = GetParam();
  const Graph graph = testing::inverted_residual_net(1, 4 * kSize);
  const Plan plan = planned(graph, {graph.nodes.back().output}, cache_bytes, 1);
  expect_rings_hold_what_the_next_step_needs(plan);
  EXPECT_LE(plan.ring_bytes, cache_bytes / 2);
  for (const Chain& chain : plan.chains) {
    const Shape& shape = dst_of(plan, chain.last).shape;
    EXPECT_GE(chain.band_rows * shape.w, std::min<int64_t>(96, shape.h * shape.w));
    EXPECT_LE(chain.band_rows, 8);
  }
  const auto expanded = std::find_if(plan.steps.begin(), plan.steps.end(), [](const Step& step) {
    return step.name.starts_with("block1.expand");
  });
  ASSERT_NE(expanded, plan.steps.end());
  EXPECT_GT(plan.buffers[expanded->dst].desc.ring_rows, 0);
}
INSTANTIATE_TEST_SUITE_P(Caches, ChooseChainsOfLargeMaps,
                         ::testing::Values(500'000, 700'000, 1'000'000));

// Bands of too few pixels cost more than the map's way to memory and back.
TEST_F(ChooseChains, NoneIfNoRingOfEnoughRowsFits) {
  EXPECT_TRUE(planned(graph, {last}, 30'000).chains.empty());
}

TEST_F(ChooseChains, MapsThatBecomeRingsTakeNoArena) {
  const Plan maps = planned(graph, {last}, 1 << 20),
             rings = planned(graph, {last}, PlanOptions::kEveryChain);
  EXPECT_LT(rings.arena_bytes, maps.arena_bytes);
  EXPECT_EQ(rings.memory_bytes(),
            rings.arena_bytes + rings.packed_bytes + 2 * (rings.scratch_bytes + rings.ring_bytes));
}

TEST_F(ChooseChains, WhatIsDeliveredIsNoRing) {
  const Plan whole = planned(graph, {last}, PlanOptions::kEveryChain);
  ASSERT_FALSE(whole.chains.empty());
  for (const Chain& chain : whole.chains) {
    for (int s = chain.first; s < chain.last; ++s) {
      const ValueId inside = whole.steps[s].dst;
      const Plan plan = planned(graph, {inside, last}, PlanOptions::kEveryChain);
      EXPECT_EQ(plan.buffers[inside].desc.ring_rows, 0) << whole.steps[s].name;
      EXPECT_EQ(planned(graph, {inside}, PlanOptions::kEveryChain).buffers[inside].desc.ring_rows,
                0);
    }
  }
}

}  // namespace
}  // namespace penult
