#pragma once

#include <cmath>
#include <limits>

namespace penult {

// A pointwise function that a producer can apply in its epilogue.
struct Activation {
  enum class Kind { kNone, kClamp };
  Kind kind = Kind::kNone;
  // kClamp: min(max(x, lo), hi). ReLU is (0, inf), ReLU6 (0, 6).
  float lo = -std::numeric_limits<float>::infinity();
  float hi = std::numeric_limits<float>::infinity();

  static Activation clamp(float lo, float hi) { return {Kind::kClamp, lo, hi}; }
  bool operator==(const Activation&) const = default;
};

}  // namespace penult
