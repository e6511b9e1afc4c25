#pragma once

// AVX2 with FMA: eight floats, or sums. Only for files compiled for this level.

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/vec.h"

namespace penult::kernels::avx2 {

struct Vec {
  enum : int { kLanes = 8, kRegisters = 16 };
  __m256 v;

  static PENULT_INLINE Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
  // Without the barrier the compiler may fold the load into each FMA that uses it, and the load
  // ports, not the FMAs, set the pace.
  static PENULT_INLINE Vec load_kept(const float* p) {
    __m256 v = _mm256_loadu_ps(p);
    asm("" : "+x"(v));
    return {v};
  }
  static PENULT_INLINE void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
  static PENULT_INLINE Vec set(float x) { return {_mm256_set1_ps(x)}; }
  static PENULT_INLINE Vec broadcast(const float* p) { return {_mm256_broadcast_ss(p)}; }
  // Written out, since gcc would rather add kStep to each distance outside of the loop, and has no
  // registers for so many. Volatile keeps the order of rows, and with it few registers in use.
  template <int kStep>
  static PENULT_INLINE Vec broadcast_at(uintptr_t base, uintptr_t distance) {
#ifdef PENULT_SANITIZED
    return broadcast(reinterpret_cast<const float*>(base + distance) + kStep);
#else
    constexpr int kBytes = kStep * static_cast<int>(sizeof(float));
    __m256 v;
    if (__builtin_constant_p(distance) && distance == 0)
      asm volatile("vbroadcastss %c2(%1), %0" : "=x"(v) : "r"(base), "i"(kBytes));
    else
      asm volatile("vbroadcastss %c3(%1,%2), %0" : "=x"(v) : "r"(base), "r"(distance), "i"(kBytes));
    return {v};
#endif
  }
  static PENULT_INLINE Vec add(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec sub(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec mul(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec div(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  // sum += a * b, in the sum's own register: compilers like to form it in a's or b's, and in a long
  // loop body then run out of registers on the way back.
  static PENULT_INLINE void accumulate(Vec& sum, Vec a, Vec b) {
    __m256 v = sum.v;
    asm("vfmadd231ps %2, %1, %0" : "+x"(v) : "x"(a.v), "x"(b.v));
    sum.v = v;
  }
  // max and min return their second operand when one is NaN.
  static PENULT_INLINE Vec clamp(Vec a, Vec lo, Vec hi) {
    return {_mm256_min_ps(hi.v, _mm256_max_ps(lo.v, a.v))};
  }
  static PENULT_INLINE Vec max(Vec a, Vec b) {
    const __m256 nan = _mm256_cmp_ps(a.v, a.v, _CMP_UNORD_Q);
    return {_mm256_blendv_ps(_mm256_max_ps(a.v, b.v), a.v, nan)};
  }
  // Two factors, since one power of two cannot reach every result; the first product is exact.
  static PENULT_INLINE Vec ldexp(Vec a, Vec n) {
    const __m256i whole = _mm256_cvtps_epi32(n.v), half = _mm256_srai_epi32(whole, 1);
    return mul(mul(a, power_of_two(half)), power_of_two(_mm256_sub_epi32(whole, half)));
  }
  static PENULT_INLINE Vec power_of_two(__m256i n) {
    const __m256i biased = _mm256_add_epi32(n, _mm256_set1_epi32(127));
    return {_mm256_castsi256_ps(_mm256_slli_epi32(biased, 23))};
  }
  static PENULT_INLINE void prefetch(const void* p) {
    _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
  }
  static PENULT_INLINE void prefetch_write(const void* p) { __builtin_prefetch(p, 1, 3); }
};

// Eight sums, so two pixels at a time.
struct Sums {
  enum : int { kLanes = 8 };
  struct Pairs {
    __m256i v;
  };
  __m256i v;

  static PENULT_INLINE Sums set(int32_t x) { return {_mm256_set1_epi32(x)}; }
  static PENULT_INLINE Sums add(Sums a, Sums b) { return {_mm256_add_epi32(a.v, b.v)}; }
  template <int kBits>
  static PENULT_INLINE Sums shift_left(Sums a) {
    return {_mm256_slli_epi32(a.v, kBits)};
  }
  template <int kBits>
  static PENULT_INLINE Sums shift_right(Sums a) {
    return {_mm256_srai_epi32(a.v, kBits)};
  }
  static PENULT_INLINE Sums add_products(Sums sums, Pairs a, Pairs b) {
    return add(sums, {_mm256_madd_epi16(a.v, b.v)});
  }
  static PENULT_INLINE Pairs load_pairs(const int16_t* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  static PENULT_INLINE Pairs broadcast_pair(const int16_t* p) {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    return {_mm256_set1_epi32(pair)};
  }
  static PENULT_INLINE __m128i load_16(const uint8_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
  static PENULT_INLINE Pairs load_pixels(const uint8_t* src, const int64_t* at) {
    return {_mm256_inserti128_si256(_mm256_castsi128_si256(load_16(src + at[0])),
                                    load_16(src + at[1]), 1)};
  }
  static PENULT_INLINE Pairs first_pixels(Pairs pixels) {
    const __m128i order = _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
    return {_mm256_shuffle_epi8(pixels.v, _mm256_broadcastsi128_si256(order))};
  }
  static PENULT_INLINE Pairs next_pixels(Pairs pixels) {
    const __m128i order = _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    return {_mm256_shuffle_epi8(pixels.v, _mm256_broadcastsi128_si256(order))};
  }
  static PENULT_INLINE void store_pixels(uint8_t* p, Sums a) {
    const __m256i words = _mm256_packs_epi32(a.v, a.v);
    const __m256i bytes = _mm256_packus_epi16(words, words);  // rgb0 in each 32 bits of a half
    const __m128i order = _mm_setr_epi8(0, 1, 2, 4, 5, 6, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    const __m128i both =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_shuffle_epi8(both, order));
  }
  // Everything stays within its half of the vector, on the way in and on the way out.
  static PENULT_INLINE void load_rows(const uint8_t* a, const uint8_t* b, Pairs (&pairs)[4]) {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i row_a = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a));
    const __m256i row_b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b));
    const __m256i lower = _mm256_unpacklo_epi8(row_a, row_b);
    const __m256i upper = _mm256_unpackhi_epi8(row_a, row_b);
    pairs[0] = {_mm256_unpacklo_epi8(lower, zero)};
    pairs[1] = {_mm256_unpackhi_epi8(lower, zero)};
    pairs[2] = {_mm256_unpacklo_epi8(upper, zero)};
    pairs[3] = {_mm256_unpackhi_epi8(upper, zero)};
  }
  static PENULT_INLINE void store_row(uint8_t* p, Sums a, Sums b, Sums c, Sums d) {
    const __m256i lower = _mm256_packs_epi32(a.v, b.v), upper = _mm256_packs_epi32(c.v, d.v);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm256_packus_epi16(lower, upper));
  }
};

}  // namespace penult::kernels::avx2
