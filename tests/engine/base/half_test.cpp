#include "engine/base/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace penult {
namespace {

// The value of a half by its definition: sign, five bits of exponent, ten of fraction.
double value_of(uint16_t half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const double magnitude =
      exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
  return half >> 15 ? -magnitude : magnitude;
}

float below(float x) { return std::nextafter(x, 0.0f); }
float above(float x) { return std::nextafter(x, std::numeric_limits<float>::infinity()); }

// From each half to the next there is one place where rounding switches: half way, which goes to
// the even one. Between those places the result cannot change, being monotonic: see the next test.
TEST(Half, RoundsToTheNearestAndTiesToEvenBetweenEveryTwoNeighbours) {
  for (uint32_t h = 0; h < 0x7c00; ++h) {
    const auto low = static_cast<uint16_t>(h), high = static_cast<uint16_t>(h + 1);
    const auto exact = static_cast<float>(value_of(low));
    // What follows 65504 would be 65536; it is infinity.
    const double next = high == 0x7c00 ? 65536 : value_of(high);
    const auto middle = static_cast<float>((value_of(low) + next) / 2);  // exact in float32
    ASSERT_EQ(half_from_float(exact), low) << h;
    ASSERT_EQ(half_from_float(above(exact)), low) << h;
    ASSERT_EQ(half_from_float(below(middle)), low) << h;
    ASSERT_EQ(half_from_float(middle), low % 2 == 0 ? low : high) << h;
    ASSERT_EQ(half_from_float(above(middle)), high) << h;
    ASSERT_EQ(half_from_float(-middle), half_from_float(middle) | 0x8000) << h;
  }
}

TEST(Half, IsMonotonicOverFloatsOfEveryExponent) {
  uint16_t last = 0;
  for (uint64_t bits = 0; bits <= 0x7f800000; bits += 251) {  // odd: every low bit occurs
    const uint16_t half = half_from_float(std::bit_cast<float>(static_cast<uint32_t>(bits)));
    ASSERT_GE(half, last) << bits;
    last = half;
  }
  EXPECT_EQ(last, 0x7c00);
}

TEST(Half, BecomesTheFloatOfItsValue) {
  for (uint32_t h = 0; h < 0x7c00; ++h) {
    const auto half = static_cast<uint16_t>(h);
    ASSERT_EQ(float_from_half(half), value_of(half)) << h;
    ASSERT_EQ(float_from_half(static_cast<uint16_t>(half | 0x8000)), -value_of(half)) << h;
  }
  EXPECT_EQ(float_from_half(0x7c00), std::numeric_limits<float>::infinity());
  EXPECT_EQ(float_from_half(0xfc00), -std::numeric_limits<float>::infinity());
  for (uint32_t h = 0x7c01; h < 0x8000; ++h)
    ASSERT_TRUE(std::isnan(float_from_half(static_cast<uint16_t>(h)))) << h;
}

TEST(Half, KeepsInfinityNanAndTheSignOfZero) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(half_from_float(inf), 0x7c00);
  EXPECT_EQ(half_from_float(-inf), 0xfc00);
  EXPECT_EQ(half_from_float(-0.0f), 0x8000);
  EXPECT_EQ(half_from_float(-1e-30f), 0x8000);
  for (const uint32_t nan : {0x7f800001u, 0x7fc00000u, 0x7fffffffu, 0xff800001u, 0xffc01234u}) {
    const uint16_t half = half_from_float(std::bit_cast<float>(nan));
    EXPECT_GT(half & 0x7fff, 0x7c00) << nan;
    EXPECT_EQ(half >> 15, nan >> 31) << nan;
  }
}

TEST(Half, CountsFiniteValuesThatBecameInfinity) {
  const float inf = std::numeric_limits<float>::infinity(), largest = std::nextafter(inf, 0.0f);
  const std::vector<float> values = {65504, 65519.996f, 65520, -65520, largest, inf, -inf, NAN, 0};
  std::vector<uint16_t> halves(values.size());
  EXPECT_EQ(halves_from_floats(values, halves.data()), 3u);
  EXPECT_EQ(halves[1], 0x7bff);
  EXPECT_EQ(halves[2], 0x7c00);
  EXPECT_EQ(halves[3], 0xfc00);
}

}  // namespace
}  // namespace penult
