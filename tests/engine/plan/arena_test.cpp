#include "engine/plan/arena.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace penult {
namespace {

void expect_disjoint(const std::vector<Lifetime>& buffers, uint64_t total) {
  for (size_t i = 0; i < buffers.size(); ++i) {
    const Lifetime& a = buffers[i];
    EXPECT_EQ(a.offset % 64, 0u);
    EXPECT_LE(a.offset + a.bytes, total);
    for (size_t j = i + 1; j < buffers.size(); ++j) {
      const Lifetime& b = buffers[j];
      const bool same_time = a.first <= b.last && b.first <= a.last;
      const bool same_place = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
      EXPECT_FALSE(same_time && same_place) << "buffers " << i << " and " << j;
    }
  }
}

TEST(Arena, ReusesMemoryOfBuffersThatNeverLiveTogether) {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 10; ++i) chain.push_back({.bytes = 640, .first = i, .last = i + 1});
  const uint64_t total = assign_offsets(chain);
  expect_disjoint(chain, total);
  EXPECT_EQ(total, 1280u);  // two neighbours at a time
}

TEST(Arena, NoTwoLivingBuffersOverlapInRandomPlans) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> buffers(1 + random() % 40);
    for (Lifetime& buffer : buffers) {
      buffer.bytes = random() % 5000;
      buffer.first = static_cast<int>(random() % 50);
      buffer.last = buffer.first + static_cast<int>(random() % 10);
    }
    const uint64_t total = assign_offsets(buffers);
    expect_disjoint(buffers, total);
  }
}

TEST(Arena, NothingNeedsNoMemory) {
  std::vector<Lifetime> none;
  EXPECT_EQ(assign_offsets(none), 0u);
}

}  // namespace
}  // namespace penult
