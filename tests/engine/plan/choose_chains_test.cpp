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

Plan planned(Graph graph, const std::vector<ValueId>& values, uint64_t cache_bytes) {
  std::vector<Delivery> deliveries;
  for (const ValueId value : values) deliveries.push_back({value, Pooling::kNone});
  EXPECT_TRUE(run_passes(graph, values, {}).ok());
  return lay_out(graph, deliveries, {.threads = 2, .cache_bytes = cache_bytes}).value();
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

TEST_F(ChooseChains, RingsHoldWhatTheNextStepNeeds) {
  for (const uint64_t cache_bytes : {uint64_t{1}, uint64_t{30'000}}) {
    const Plan plan = planned(graph, {last}, cache_bytes);
    ASSERT_FALSE(plan.chains.empty());
    int before = -1;
    int64_t most_rows = 0;
    for (const Chain& chain : plan.chains) {
      EXPECT_GT(chain.first, before);
      ASSERT_GT(chain.last, chain.first);
      ASSERT_EQ(chain.windows.size(), static_cast<size_t>(chain.last - chain.first + 1));
      before = chain.last;
      EXPECT_EQ(dst_of(plan, chain.last).ring_rows, 0);
      int64_t rows = chain.band_rows;
      EXPECT_GE(rows, 1);
      most_rows = std::max(most_rows, rows);
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
    EXPECT_EQ(most_rows == 1, cache_bytes == 1) << most_rows;
  }
}

TEST_F(ChooseChains, MapsThatBecomeRingsTakeNoArena) {
  const Plan maps = planned(graph, {last}, 1 << 20), rings = planned(graph, {last}, 1);
  EXPECT_LT(rings.arena_bytes, maps.arena_bytes);
  EXPECT_EQ(rings.memory_bytes(),
            rings.arena_bytes + rings.packed_bytes + 2 * (rings.scratch_bytes + rings.ring_bytes));
}

TEST_F(ChooseChains, WhatIsDeliveredIsNoRing) {
  const Plan whole = planned(graph, {last}, 1);
  ASSERT_FALSE(whole.chains.empty());
  for (const Chain& chain : whole.chains) {
    for (int s = chain.first; s < chain.last; ++s) {
      const ValueId inside = whole.steps[s].dst;
      const Plan plan = planned(graph, {inside, last}, 1);
      EXPECT_EQ(plan.buffers[inside].desc.ring_rows, 0) << whole.steps[s].name;
      EXPECT_EQ(planned(graph, {inside}, 1).buffers[inside].desc.ring_rows, 0);
    }
  }
}

}  // namespace
}  // namespace penult
