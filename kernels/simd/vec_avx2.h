#pragma once

// AVX2 with FMA: eight floats. Only for files compiled for this level.

#include <immintrin.h>

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
  static PENULT_INLINE Vec add(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec sub(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec mul(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec div(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
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

}  // namespace penult::kernels::avx2
