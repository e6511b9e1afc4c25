#include "engine/base/half.h"

#include <bit>

namespace penult {
namespace {

constexpr uint32_t kMagnitude = 0x7fffffff, kInfinity = 0x7f800000;
// 65520, half way between the largest half, 65504, and 65536. The significand of 65504 is odd, so
// that the tie goes up as well.
constexpr uint32_t kOverflow = 0x477ff000;
constexpr uint32_t kSmallestNormal = 0x38800000;  // 2^-14

}  // namespace

uint16_t half_from_float(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & kMagnitude;
  if (magnitude > kInfinity) {  // the upper bits of a NaN; if they are zero it would be infinity
    const uint32_t kept = magnitude >> 13 & 0x3ff;
    return static_cast<uint16_t>(sign | 0x7c00 | (kept == 0 ? 1 : kept));
  }
  if (magnitude >= kOverflow) return static_cast<uint16_t>(sign | 0x7c00);
  if (magnitude < kSmallestNormal) {
    // Multiples of 2^-24, which is the distance of floats from 0.5 to 1: the addition rounds.
    const float sum = std::bit_cast<float>(magnitude) + 0.5F;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(sum) & 0x7ff));
  }
  // Half a unit in the last place, less a bit where the result is even: a carry rounds up, into the
  // exponent too. Then the exponent's bias, 127, becomes 15.
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return static_cast<uint16_t>(sign | ((rounded >> 13) - (112U << 10)));
}

float float_from_half(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  const uint32_t exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | kInfinity | fraction << 13);
  if (exponent == 0) {
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | fraction << 13);
}

uint64_t halves_from_floats(std::span<const float> src, uint16_t* dst) {
  uint64_t overflows = 0;
  for (size_t i = 0; i < src.size(); ++i) {
    dst[i] = half_from_float(src[i]);
    const uint32_t magnitude = std::bit_cast<uint32_t>(src[i]) & kMagnitude;
    overflows += magnitude >= kOverflow && magnitude < kInfinity ? 1 : 0;
  }
  return overflows;
}

}  // namespace penult
