#pragma once

// The three matrices of F(m,3) in one dimension, from Toom-Cook interpolation at m + 1 points p and
// infinity. With f(x) = prod (x - p_j):
//   B' row p: coefficients of f(x) / (x - p); row infinity: those of f(x)
//   G  row p: (1, p, p^2) / f'(p);            row infinity: (0, 0, 1)
//   A' row i: p^i for each p;                 column infinity: 1 in the last row
// F(4,3) has the points 0, +-sqrt(1/2), +-sqrt(2): f(x) = x^5 - 2.5 x^3 + x. No entry of B' or A'
// is larger than 2.9, where the usual points 0, +-1, +-2 need 8: half the error. F(2,3) has the
// points 0, +-1, with the sign of B' and G changed so that B' holds only +-1.
//
// kTakesTaps: weights may be packed as they are, and G w G' computed by each run, in the same
// arithmetic as beforehand.

#include "kernels/simd/vec.h"

namespace penult::kernels {
namespace {

constexpr double kSqrt2 = 1.4142135623730951;

struct F43 {
  enum : int { kIn = 6, kOut = 4, kTakesTaps = 0 };

  // t = B' d
  template <class Vec>
  static PENULT_INLINE void src(const Vec (&d)[kIn], Vec (&t)[kIn]) {
    const Vec minus_half = Vec::set(-0.5F), minus_two = Vec::set(-2.0F), minus = Vec::set(-2.5F);
    const Vec root_half = Vec::set(static_cast<float>(kSqrt2 / 2));
    const Vec minus_root_half = Vec::set(static_cast<float>(-kSqrt2 / 2));
    const Vec root = Vec::set(static_cast<float>(kSqrt2));
    const Vec minus_root = Vec::set(static_cast<float>(-kSqrt2));
    t[0] = Vec::fma(minus, d[2], Vec::add(d[0], d[4]));
    t[5] = Vec::fma(minus, d[3], Vec::add(d[1], d[5]));
    const Vec even_a = Vec::fma(minus_two, d[2], d[4]), odd_a = Vec::fma(minus_two, d[1], d[3]);
    t[1] = Vec::fma(root_half, odd_a, even_a);
    t[2] = Vec::fma(minus_root_half, odd_a, even_a);
    const Vec even_b = Vec::fma(minus_half, d[2], d[4]), odd_b = Vec::fma(minus_half, d[1], d[3]);
    t[3] = Vec::fma(root, odd_b, even_b);
    t[4] = Vec::fma(minus_root, odd_b, even_b);
  }

  // y = A' m
  template <class Vec>
  static PENULT_INLINE void dst(const Vec (&m)[kIn], Vec (&y)[kOut]) {
    const Vec root_half = Vec::set(static_cast<float>(kSqrt2 / 2));
    const Vec root = Vec::set(static_cast<float>(kSqrt2));
    const Vec half = Vec::set(0.5F), two = Vec::set(2.0F);
    const Vec cube_a = Vec::set(static_cast<float>(kSqrt2 / 4));
    const Vec cube_b = Vec::set(static_cast<float>(kSqrt2 * 2));
    const Vec sum_a = Vec::add(m[1], m[2]), difference_a = Vec::sub(m[1], m[2]);
    const Vec sum_b = Vec::add(m[3], m[4]), difference_b = Vec::sub(m[3], m[4]);
    y[0] = Vec::add(Vec::add(m[0], sum_a), sum_b);
    y[1] = Vec::fma(root, difference_b, Vec::mul(root_half, difference_a));
    y[2] = Vec::fma(two, sum_b, Vec::mul(half, sum_a));
    y[3] = Vec::fma(cube_b, difference_b, Vec::fma(cube_a, difference_a, m[5]));
  }

  // t = G w
  template <class Real>
  static void weights(const Real (&w)[3], Real (&t)[kIn]) {
    const double a = kSqrt2 / 2, b = kSqrt2;
    t[0] = w[0];
    t[1] = (w[0] + a * w[1] + 0.5 * w[2]) / -1.5;
    t[2] = (w[0] - a * w[1] + 0.5 * w[2]) / -1.5;
    t[3] = (w[0] + b * w[1] + 2 * w[2]) / 6;
    t[4] = (w[0] - b * w[1] + 2 * w[2]) / 6;
    t[5] = w[2];
  }
};

struct F23 {
  enum : int { kIn = 4, kOut = 2, kTakesTaps = 1 };

  template <class Vec>
  static PENULT_INLINE void src(const Vec (&d)[kIn], Vec (&t)[kIn]) {
    t[0] = Vec::sub(d[0], d[2]);
    t[1] = Vec::add(d[1], d[2]);
    t[2] = Vec::sub(d[2], d[1]);
    t[3] = Vec::sub(d[1], d[3]);
  }

  template <class Vec>
  static PENULT_INLINE void dst(const Vec (&m)[kIn], Vec (&y)[kOut]) {
    y[0] = Vec::add(Vec::add(m[0], m[1]), m[2]);
    y[1] = Vec::sub(Vec::sub(m[1], m[2]), m[3]);
  }

  // t = G w: two roundings, as halving makes none
  template <class Vec>
  static PENULT_INLINE void weights(const Vec (&w)[3], Vec (&t)[kIn]) {
    const Vec half = Vec::set(0.5F), minus_half = Vec::set(-0.5F);
    const Vec outer = Vec::mul(half, Vec::add(w[0], w[2]));
    t[0] = w[0];
    t[1] = Vec::fma(half, w[1], outer);
    t[2] = Vec::fma(minus_half, w[1], outer);
    t[3] = w[2];
  }
};

}  // namespace
}  // namespace penult::kernels
