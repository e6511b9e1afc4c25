#pragma once

// Sixteen floats in plain C++: the code written for AVX-512, tested where there is none
// (PENULT_LANES=portable16).

#include <cstdint>

#include "kernels/simd/vec.h"

namespace penult::kernels::portable16 {

#define PENULT_VEC_BYTES 64
#include "kernels/simd/vec_portable.inl.h"
#undef PENULT_VEC_BYTES

// Sixteen sums one by one: it is there to be right.
struct Sums {
  enum : int { kLanes = 16 };
  struct Pairs {
    int16_t v[2 * kLanes];
  };
  uint32_t v[kLanes];

  static PENULT_INLINE Sums set(int32_t x) {
    Sums sums;
    for (uint32_t& sum : sums.v) sum = static_cast<uint32_t>(x);
    return sums;
  }
  static PENULT_INLINE Sums add(Sums a, const Sums& b) {
    for (int i = 0; i < kLanes; ++i) a.v[i] += b.v[i];
    return a;
  }
  template <int kBits>
  static PENULT_INLINE Sums shift_left(Sums a) {
    for (uint32_t& sum : a.v) sum <<= kBits;
    return a;
  }
  template <int kBits>
  static PENULT_INLINE Sums shift_right(Sums a) {
    for (uint32_t& sum : a.v) sum = static_cast<uint32_t>(static_cast<int32_t>(sum) >> kBits);
    return a;
  }
  static PENULT_INLINE Sums add_products(Sums sums, const Pairs& a, const Pairs& b) {
    for (int i = 0; i < kLanes; ++i) {
      sums.v[i] += static_cast<uint32_t>(a.v[2 * i] * b.v[2 * i]) +
                   static_cast<uint32_t>(a.v[2 * i + 1] * b.v[2 * i + 1]);
    }
    return sums;
  }
  static PENULT_INLINE Pairs load_pairs(const int16_t* p) {
    Pairs pairs;
    for (int i = 0; i < 2 * kLanes; ++i) pairs.v[i] = p[i];
    return pairs;
  }
  static PENULT_INLINE Pairs broadcast_pair(const int16_t* p) {
    Pairs pairs;
    for (int i = 0; i < 2 * kLanes; ++i) pairs.v[i] = p[i % 2];
    return pairs;
  }
  // Sixteen bytes of each pixel's, two in a number: as they would lie in a register.
  struct Pixels {
    uint8_t v[4 * kLanes];
  };
  static PENULT_INLINE Pixels load_pixels(const uint8_t* src, const int64_t* at) {
    Pixels pixels;
    for (int i = 0; i < 4 * kLanes; ++i) pixels.v[i] = src[at[i / 16] + i % 16];
    return pixels;
  }
  static PENULT_INLINE Pairs pixels_from(const Pixels& pixels, int first) {
    Pairs pairs;
    for (int i = 0; i < 2 * kLanes; ++i) {
      const int pixel = i / 8, channel = i / 2 % 4, tap = i % 2;
      pairs.v[i] = channel == 3 ? int16_t{0} : pixels.v[16 * pixel + first + 3 * tap + channel];
    }
    return pairs;
  }
  static PENULT_INLINE Pairs first_pixels(const Pixels& pixels) { return pixels_from(pixels, 0); }
  static PENULT_INLINE Pairs next_pixels(const Pixels& pixels) { return pixels_from(pixels, 6); }
  static PENULT_INLINE uint8_t clipped(uint32_t sum) {
    const auto value = static_cast<int32_t>(sum);
    return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
  }
  static PENULT_INLINE void store_pixels(uint8_t* p, const Sums& a) {
    for (int i = 0; i < kLanes; ++i) {
      if (i % 4 != 3) *p++ = clipped(a.v[i]);
    }
  }
  static PENULT_INLINE void load_rows(const uint8_t* a, const uint8_t* b, Pairs (&pairs)[4]) {
    for (int i = 0; i < 4 * kLanes; ++i) {
      pairs[i / kLanes].v[2 * (i % kLanes)] = a[i];
      pairs[i / kLanes].v[2 * (i % kLanes) + 1] = b[i];
    }
  }
  static PENULT_INLINE void store_row(uint8_t* p, const Sums& a, const Sums& b, const Sums& c,
                                      const Sums& d) {
    for (int i = 0; i < kLanes; ++i) {
      p[i] = clipped(a.v[i]);
      p[kLanes + i] = clipped(b.v[i]);
      p[2 * kLanes + i] = clipped(c.v[i]);
      p[3 * kLanes + i] = clipped(d.v[i]);
    }
  }
};

}  // namespace penult::kernels::portable16
