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
    int longest = 0;
    for (const Chain& chain : plan.chains) {
      EXPECT_EQ(chain.band_rows, std::min(rows, dst_of(plan, chain.last).shape.h));
      longest = std::max(longest, chain.last - chain.first + 1);
    }
    EXPECT_EQ(longest, 6);  // from the stem to the second projection, which an addition reads, too
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

// Two maps of which only one can be a ring: the larger one, though the other comes first.
TEST(ChooseChainsOfFew, TheLargerMap) {
  constexpr int64_t kSide = 64;
  testing::RandomNet net(1);
  ValueId x = net.conv("first", net.input(), 3, {.oc = 64});
  const ValueId small = x = net.conv("depthwise", x, 64, {.oc = 64, .kernel = 5, .groups = 64});
  const ValueId large = x = net.conv("expand", x, 64, {.oc = 96});
  x = net.conv("last", x, 96, {.oc = 96, .kernel = 5, .groups = 96});
  const Graph graph = net.finish(3, kSide, kSide);
  const auto is_ring = [&](ValueId value, uint64_t cache_bytes) {
    return planned(graph, {x}, cache_bytes, 1).buffers[value].desc.ring_rows > 0;
  };
  // Bands of two rows: 6 rows of `large` are 150 KB, with as many of `small` 250 KB.
  EXPECT_TRUE(is_ring(large, 400'000));
  EXPECT_FALSE(is_ring(small, 400'000));
  EXPECT_TRUE(is_ring(large, 900'000));
  EXPECT_TRUE(is_ring(small, 900'000));
}

// Weights that a band would read again from outside of the cache.
TEST(ChooseChainsOfFew, NotIfTheWeightsTakeTheCache) {
  const auto steps_of_chain = [](int64_t oc) {
    testing::RandomNet net(1);
    ValueId x = net.conv("expand", net.input(), 3, {.oc = 64});
    x = net.conv("depthwise", x, 64, {.oc = 64, .kernel = 3, .groups = 64});
    x = net.conv("project", x, 64, {.oc = oc});
    const Plan plan = planned(net.finish(3, 64, 64), {x}, 500'000, 1);
    return plan.chains.empty() ? 0 : plan.chains[0].last - plan.chains[0].first + 1;
  };
  EXPECT_EQ(steps_of_chain(64), 3);
  EXPECT_EQ(steps_of_chain(1024), 2);  // the project's weights are 256 KB
}

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
