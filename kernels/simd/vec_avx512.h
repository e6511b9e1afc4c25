#pragma once

// AVX-512 (F, BW, DQ, VL): sixteen floats or sums, 32 registers. Only for files compiled for this
// level.

#include <immintrin.h>

#include <cstdint>

#include "kernels/simd/vec.h"

namespace penult::kernels::avx512 {

struct Vec {
  enum : int { kLanes = 16, kRegisters = 32 };
  __m512 v;

  static PENULT_INLINE Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static PENULT_INLINE Vec load_kept(const float* p) {
    __m512 v = _mm512_loadu_ps(p);
    asm("" : "+v"(v));
    return {v};
  }
  static PENULT_INLINE void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
  static PENULT_INLINE Vec set(float x) { return {_mm512_set1_ps(x)}; }
  // Kept as well: as an operand {1to16} it would be loaded anew by each FMA that uses it.
  static PENULT_INLINE Vec broadcast(const float* p) {
    __m512 v = _mm512_set1_ps(*p);
    asm("" : "+v"(v));
    return {v};
  }
  template <int kStep>
  static PENULT_INLINE Vec broadcast_at(uintptr_t base, uintptr_t distance) {
    return broadcast(reinterpret_cast<const float*>(base + distance) + kStep);
  }
  static PENULT_INLINE Vec add(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec sub(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec mul(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec div(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
  static PENULT_INLINE void accumulate(Vec& sum, Vec a, Vec b) { sum = fma(a, b, sum); }
  // max and min return their second operand when one is NaN.
  static PENULT_INLINE Vec clamp(Vec a, Vec lo, Vec hi) {
    return {_mm512_min_ps(hi.v, _mm512_max_ps(lo.v, a.v))};
  }
  static PENULT_INLINE Vec max(Vec a, Vec b) {
    const __mmask16 nan = _mm512_cmp_ps_mask(a.v, a.v, _CMP_UNORD_Q);
    return {_mm512_mask_mov_ps(_mm512_max_ps(a.v, b.v), nan, a.v)};
  }
  static PENULT_INLINE Vec ldexp(Vec a, Vec n) { return {_mm512_scalef_ps(a.v, n.v)}; }
  static PENULT_INLINE void prefetch(const void* p) {
    _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
  }
  static PENULT_INLINE void prefetch_write(const void* p) { __builtin_prefetch(p, 1, 3); }
};

// Sixteen sums, so four pixels at a time.
struct Sums {
  enum : int { kLanes = 16 };
  struct Pairs {
    __m512i v;
  };
  __m512i v;

  static PENULT_INLINE Sums set(int32_t x) { return {_mm512_set1_epi32(x)}; }
  static PENULT_INLINE Sums add(Sums a, Sums b) { return {_mm512_add_epi32(a.v, b.v)}; }
  template <int kBits>
  static PENULT_INLINE Sums shift_left(Sums a) {
    return {_mm512_slli_epi32(a.v, kBits)};
  }
  template <int kBits>
  static PENULT_INLINE Sums shift_right(Sums a) {
    return {_mm512_srai_epi32(a.v, kBits)};
  }
  static PENULT_INLINE Sums add_products(Sums sums, Pairs a, Pairs b) {
    return add(sums, {_mm512_madd_epi16(a.v, b.v)});
  }
  static PENULT_INLINE Pairs load_pairs(const int16_t* p) { return {_mm512_loadu_si512(p)}; }
  static PENULT_INLINE Pairs broadcast_pair(const int16_t* p) {
    int32_t pair;
    __builtin_memcpy(&pair, p, sizeof(pair));
    return {_mm512_set1_epi32(pair)};
  }
  static PENULT_INLINE __m128i load_16(const uint8_t* p) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
  static PENULT_INLINE Pairs load_pixels(const uint8_t* src, const int64_t* at) {
    __m512i v = _mm512_castsi128_si512(load_16(src + at[0]));
    v = _mm512_inserti32x4(v, load_16(src + at[1]), 1);
    v = _mm512_inserti32x4(v, load_16(src + at[2]), 2);
    return {_mm512_inserti32x4(v, load_16(src + at[3]), 3)};
  }
  static PENULT_INLINE Pairs first_pixels(Pairs pixels) {
    const __m128i order = _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
    return {_mm512_shuffle_epi8(pixels.v, _mm512_broadcast_i32x4(order))};
  }
  static PENULT_INLINE Pairs next_pixels(Pairs pixels) {
    const __m128i order = _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
    return {_mm512_shuffle_epi8(pixels.v, _mm512_broadcast_i32x4(order))};
  }
  static PENULT_INLINE void store_pixels(uint8_t* p, Sums a) {
    const __m512i positive = _mm512_max_epi32(a.v, _mm512_setzero_si512());
    const __m128i bytes = _mm512_cvtusepi32_epi8(positive);  // rgb0 four times
    const __m128i order = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm_shuffle_epi8(bytes, order));
  }
  // Everything stays within its quarter of the vector, on the way in and on the way out.
  static PENULT_INLINE void load_rows(const uint8_t* a, const uint8_t* b, Pairs (&pairs)[4]) {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i row_a = _mm512_loadu_si512(a), row_b = _mm512_loadu_si512(b);
    const __m512i lower = _mm512_unpacklo_epi8(row_a, row_b);
    const __m512i upper = _mm512_unpackhi_epi8(row_a, row_b);
    pairs[0] = {_mm512_unpacklo_epi8(lower, zero)};
    pairs[1] = {_mm512_unpackhi_epi8(lower, zero)};
    pairs[2] = {_mm512_unpacklo_epi8(upper, zero)};
    pairs[3] = {_mm512_unpackhi_epi8(upper, zero)};
  }
  static PENULT_INLINE void store_row(uint8_t* p, Sums a, Sums b, Sums c, Sums d) {
    const __m512i lower = _mm512_packs_epi32(a.v, b.v), upper = _mm512_packs_epi32(c.v, d.v);
    _mm512_storeu_si512(p, _mm512_packus_epi16(lower, upper));
  }
};

}  // namespace penult::kernels::avx512
