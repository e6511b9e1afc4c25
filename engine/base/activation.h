#pragma once

// Pointwise functions that a producer can apply in its epilogue. Plain numbers, and nothing from
// the standard library: read by files compiled for one ISA too (kernels/simd/).

namespace penult {

struct Activation {
  enum class Kind : int {
    kNone,
    kClamp,      // a = lo, b = hi
    kLeakyRelu,  // a = slope
    kHardSwish,
    kHardSigmoid,
    kSigmoid,
    kSilu,
  };
  Kind kind = Kind::kNone;
  float a = 0, b = 0;

  static constexpr Activation clamp(float lo, float hi) { return {Kind::kClamp, lo, hi}; }
  static constexpr Activation leaky_relu(float slope) { return {Kind::kLeakyRelu, slope, 0}; }
  bool operator==(const Activation&) const = default;
};

}  // namespace penult
