#pragma once

// Plain C++ for the baseline: four floats, so that a kernel's vector logic is the same everywhere.
// fma() rounds twice, since the baseline has no fused multiply-add.

#include "kernels/simd/vec.h"

namespace penult::kernels::scalar {

struct Vec {
  enum : int { kLanes = 4 };
  float lane[kLanes];

  static PENULT_INLINE Vec load(const float* p) { return {{p[0], p[1], p[2], p[3]}}; }
  static PENULT_INLINE Vec load_kept(const float* p) { return load(p); }
  static PENULT_INLINE void store(float* p, Vec v) {
    for (int i = 0; i < kLanes; ++i) p[i] = v.lane[i];
  }
  static PENULT_INLINE Vec set(float x) { return {{x, x, x, x}}; }
  static PENULT_INLINE Vec broadcast(const float* p) { return set(*p); }
  static PENULT_INLINE Vec add(Vec a, Vec b) {
    for (int i = 0; i < kLanes; ++i) a.lane[i] += b.lane[i];
    return a;
  }
  static PENULT_INLINE Vec mul(Vec a, Vec b) {
    for (int i = 0; i < kLanes; ++i) a.lane[i] *= b.lane[i];
    return a;
  }
  static PENULT_INLINE Vec fma(Vec a, Vec b, Vec c) { return add(mul(a, b), c); }
  static PENULT_INLINE Vec clamp(Vec v, Vec lo, Vec hi) {
    for (int i = 0; i < kLanes; ++i) {
      v.lane[i] = lo.lane[i] > v.lane[i] ? lo.lane[i] : v.lane[i];
      v.lane[i] = hi.lane[i] < v.lane[i] ? hi.lane[i] : v.lane[i];
    }
    return v;
  }
  static PENULT_INLINE void prefetch(const void* p) { __builtin_prefetch(p, 0, 3); }
  static PENULT_INLINE void prefetch_write(const void* p) { __builtin_prefetch(p, 1, 3); }
};

}  // namespace penult::kernels::scalar
