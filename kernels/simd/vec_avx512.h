#pragma once

// AVX-512 (F, BW, DQ, VL): sixteen floats, 32 registers. Only for files compiled for this level.

#include <immintrin.h>

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
  static PENULT_INLINE Vec add(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec sub(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec mul(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec div(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
  static PENULT_INLINE Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
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

}  // namespace penult::kernels::avx512
