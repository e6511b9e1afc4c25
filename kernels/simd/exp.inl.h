#pragma once

#include "kernels/simd/vec.h"

namespace penult::kernels {
namespace {

// e^x within 1.01 ULP of the exact value where that is a normal number, within one unit of the
// smallest denormal below (measured on every float; tests/kernels/exp_test.cpp). Overflows to
// infinity above 88.722839 = ln(FLT_MAX), underflows to 0 below -103.972 = ln(half the smallest
// denormal); a NaN stays a NaN.
//
// x = n ln 2 + r with whole n, |r| <= ln(2) / 2; e^x = 2^n e^r, e^r = 1 + r + r^2 q(r). Cody and
// Waite, Software Manual for the Elementary Functions, chapter 6: ln 2 in two parts of which the
// first has so few bits that n times it is exact. q is the polynomial of degree 4 with the least
// largest relative error of e^r, 3.1e-9 (Remez).
template <class Vec>
PENULT_INLINE Vec exp(Vec x) {
  const Vec magic = Vec::set(12582912.0F);  // 1.5 * 2^23: adding it rounds to whole numbers
  x = Vec::clamp(x, Vec::set(-104.5F), Vec::set(89.0F));
  const Vec n = Vec::sub(Vec::add(Vec::mul(x, Vec::set(0x1.715476p+0F)), magic), magic);
  Vec r = Vec::sub(x, Vec::mul(n, Vec::set(0x1.63p-1F)));
  r = Vec::fma(n, Vec::set(0x1.bd0106p-13F), r);
  Vec q = Vec::set(0x1.6a23d0p-10F);
  q = Vec::fma(q, r, Vec::set(0x1.123a20p-7F));
  q = Vec::fma(q, r, Vec::set(0x1.5558f2p-5F));
  q = Vec::fma(q, r, Vec::set(0x1.555492p-3F));
  q = Vec::fma(q, r, Vec::set(0x1.fffffcp-2F));
  const Vec power = Vec::add(Vec::fma(Vec::mul(r, r), q, r), Vec::set(1.0F));
  return Vec::ldexp(power, n);
}

}  // namespace
}  // namespace penult::kernels
