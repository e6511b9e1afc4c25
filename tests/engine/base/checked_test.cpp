#include "engine/base/checked.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "engine/base/aligned_buffer.h"

namespace penult {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

TEST(Checked, AnswersNothingInsteadOfWrapping) {
  EXPECT_EQ(checked_add(kMax, 1), std::nullopt);
  EXPECT_EQ(checked_add(kMax - 1, 1), kMax);
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, uint64_t{1} << 32), std::nullopt);
  EXPECT_EQ(checked_mul(uint64_t{1} << 32, uint64_t{1} << 31), uint64_t{1} << 63);
  EXPECT_EQ(checked_align_up(kMax - 62, 64), std::nullopt);
  EXPECT_EQ(checked_align_up(kMax - 63, 64), kMax - 63);
  EXPECT_EQ(checked_align_up(65, 64), 128u);
}

TEST(Checked, ProductRefusesNegativeAndOverflowingDims) {
  const std::vector<int64_t> good = {3, 5, 7}, negative = {3, -1};
  const std::vector<int64_t> large(3, int64_t{1} << 31), none;
  EXPECT_EQ(checked_product(good), 105u);
  EXPECT_EQ(checked_product(none), 1u);
  EXPECT_EQ(checked_product(negative), std::nullopt);
  EXPECT_EQ(checked_product(large), std::nullopt);
}

TEST(AlignedBuffer, StartsOnACacheLineAndReportsAnImpossibleSize) {
  auto buffer = AlignedBuffer::allocate(100);
  ASSERT_TRUE(buffer.ok());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % 64, 0u);
  EXPECT_EQ(buffer->bytes(), 100u);
  constexpr size_t kMost = std::numeric_limits<size_t>::max();
  for (const size_t bytes : {kMost, kMost - (size_t{2} << 20) - 5000, kMost / 2}) {
    EXPECT_EQ(AlignedBuffer::allocate(bytes).status().code(), StatusCode::kOutOfMemory) << bytes;
  }
}

TEST(AlignedBuffer, LargeOnesStartOnAHugePageAndMayMove) {
  constexpr size_t kHuge = size_t{2} << 20, kLarge = 2 * kHuge;
  for (const size_t bytes : {kLarge - 1, kLarge, kLarge + 1, kLarge + 5000, 3 * kHuge}) {
    auto buffer = AlignedBuffer::allocate(bytes);
    ASSERT_TRUE(buffer.ok());
    EXPECT_EQ(buffer->bytes(), bytes);
    const size_t alignment = bytes >= kLarge ? kHuge : 64;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(buffer->data()) % alignment, 0u);
    buffer->data()[0] = std::byte{1};
    buffer->data()[bytes - 1] = std::byte{2};
    AlignedBuffer moved = std::move(*buffer);
    EXPECT_EQ(moved.data()[0], std::byte{1});
    *buffer = std::move(moved);
    EXPECT_EQ(buffer->data()[bytes - 1], std::byte{2});
  }
}

}  // namespace
}  // namespace penult
