#pragma once

// How far a correct f32 kernel may be from the double-precision reference. Tolerances of tests come
// from here and from nowhere else.

#include <cstdint>

namespace penult::testing {

inline constexpr double kUnitRoundoff = 0x1p-24;  // of f32, rounding to nearest

// A value made by at most `roundings` successive f32 roundings of partial results, where
// `magnitude` is the same formula over absolute values, differs from the exact value by at most
// gamma * magnitude, gamma = n*u / (1 - n*u) (Higham, Accuracy and Stability of Numerical
// Algorithms, section 3.1); plus the smallest normal number, for underflow.
inline double rounding_bound(int64_t roundings, double magnitude) {
  const double nu = static_cast<double>(roundings) * kUnitRoundoff;
  return nu / (1 - nu) * magnitude + 0x1p-126;
}

// What is left of an error of `bound` behind a pointwise function, with the function's own: the
// steepest, hard_swish, has a slope of 1.5, and none takes more than 8 roundings of numbers up to
// 1 + magnitude. (Slopes that are parameters must lie within 1.)
inline double bound_through_activation(double bound, double magnitude) {
  return 1.5 * bound + rounding_bound(8, 1 + magnitude);
}

}  // namespace penult::testing
