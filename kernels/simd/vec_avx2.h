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
  static PENULT_INLINE Vec mul(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
  // max and min return their second operand when one is NaN.
  static PENULT_INLINE Vec clamp(Vec a, Vec lo, Vec hi) {
    return {_mm256_min_ps(hi.v, _mm256_max_ps(lo.v, a.v))};
  }
  static PENULT_INLINE void prefetch(const void* p) {
    _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0);
  }
  static PENULT_INLINE void prefetch_write(const void* p) { __builtin_prefetch(p, 1, 3); }
};

}  // namespace penult::kernels::avx2
