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
  EXPECT_EQ(AlignedBuffer::allocate(std::numeric_limits<size_t>::max()).status().code(),
            StatusCode::kOutOfMemory);
}

}  // namespace
}  // namespace penult
