#include "engine/output/normalize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace penult {
namespace {

std::vector<float> normalized(std::vector<float> rows, int64_t elems) {
  l2_normalize(rows, elems);
  return rows;
}

TEST(L2Normalize, GivesEachRowTheNormOne) {
  EXPECT_EQ(normalized({3, 4, -5, 12}, 2),
            (std::vector<float>{0.6f, 0.8f, -5.0f / 13, 12.0f / 13}));
  EXPECT_EQ(normalized({-7, 2, 0}, 1), (std::vector<float>{-1, 1, 0}));
  EXPECT_TRUE(normalized({}, 3).empty());
}

TEST(L2Normalize, LeavesARowOfZeros) {
  const std::vector<float> got = normalized({0, -0.0f, 1, 0}, 2);
  EXPECT_EQ(got, (std::vector<float>{0, 0, 1, 0}));
  EXPECT_TRUE(std::signbit(got[1]));
}

TEST(L2Normalize, NeitherOverflowsNorVanishes) {
  const float largest = std::numeric_limits<float>::max();
  const float smallest = std::numeric_limits<float>::denorm_min();
  const float half = std::sqrt(0.5f);
  EXPECT_EQ(normalized({largest, largest, smallest, smallest}, 2),
            (std::vector<float>{half, half, half, half}));
}

TEST(L2Normalize, SumsInDouble) {
  // In float32 each 1 would be lost beside 4096^2 = 2^24.
  std::vector<float> row(1001, 1.0f);
  row[0] = 4096;
  const float want = static_cast<float>(1 / std::sqrt(0x1p24 + 1000));
  ASSERT_NE(want, 0x1p-12f);
  EXPECT_EQ(normalized(row, 1001).back(), want);
}

TEST(L2Normalize, ShowsInfinityAndNanInTheirRowAlone) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> got = normalized({inf, 1, 3, 4, NAN, 1}, 2);
  EXPECT_TRUE(std::isnan(got[0]));
  EXPECT_EQ(got[1], 0);
  EXPECT_EQ(got[2], 0.6f);
  EXPECT_TRUE(std::isnan(got[4]) && std::isnan(got[5]));
}

}  // namespace
}  // namespace penult
