#pragma once

// The vector code of each pointwise function (engine/base/activation_def.h), once: whether fused or
// an operator of its own, a function is the same object and gives the same bits.

#include "engine/base/activation.h"
#include "kernels/simd/exp.inl.h"

namespace penult::kernels {
namespace {

// A function is made from its parameters and then called with vectors.

template <class Vec>
struct Identity {
  static constexpr auto kKind = Activation::Kind::kNone;
  explicit Identity(const Activation&) {}
  PENULT_INLINE Vec operator()(Vec x) const { return x; }
};

template <class Vec>
struct Clamp {
  static constexpr auto kKind = Activation::Kind::kClamp;
  Vec lo, hi;
  explicit PENULT_INLINE Clamp(const Activation& f) : lo(Vec::set(f.a)), hi(Vec::set(f.b)) {}
  PENULT_INLINE Vec operator()(Vec x) const { return Vec::clamp(x, lo, hi); }
};

// max(x, 0) + slope * min(x, 0): one of the two is 0, so one rounding.
template <class Vec>
struct LeakyRelu {
  static constexpr auto kKind = Activation::Kind::kLeakyRelu;
  Vec slope;
  explicit PENULT_INLINE LeakyRelu(const Activation& f) : slope(Vec::set(f.a)) {}
  PENULT_INLINE Vec operator()(Vec x) const {
    const Vec zero = Vec::set(0.0F), infinity = Vec::set(__builtin_inff());
    const Vec negative = Vec::mul(Vec::clamp(x, Vec::set(-__builtin_inff()), zero), slope);
    return Vec::add(Vec::clamp(x, zero, infinity), negative);
  }
};

template <class Vec>
struct HardSigmoid {
  static constexpr auto kKind = Activation::Kind::kHardSigmoid;
  explicit PENULT_INLINE HardSigmoid(const Activation&) {}
  // min(max(x + 3, 0), 6)
  static PENULT_INLINE Vec sixfold(Vec x) {
    return Vec::clamp(Vec::add(x, Vec::set(3.0F)), Vec::set(0.0F), Vec::set(6.0F));
  }
  // A product: a division would take longer than all else in HardSwish. 6 * (1/6) rounds to 1.
  PENULT_INLINE Vec operator()(Vec x) const { return Vec::mul(sixfold(x), Vec::set(1.0F / 6.0F)); }
};

template <class Vec>
struct HardSwish {
  static constexpr auto kKind = Activation::Kind::kHardSwish;
  HardSigmoid<Vec> hard_sigmoid;
  explicit PENULT_INLINE HardSwish(const Activation& f) : hard_sigmoid(f) {}
  PENULT_INLINE Vec operator()(Vec x) const { return Vec::mul(x, hard_sigmoid(x)); }
};

// 0 below -88.73, where exp(-x) overflows.
template <class Vec>
struct Sigmoid {
  static constexpr auto kKind = Activation::Kind::kSigmoid;
  explicit Sigmoid(const Activation&) {}
  static PENULT_INLINE Vec denominator(Vec x) {  // 1 + exp(-x)
    return Vec::add(Vec::set(1.0F), exp(Vec::sub(Vec::set(0.0F), x)));
  }
  PENULT_INLINE Vec operator()(Vec x) const { return Vec::div(Vec::set(1.0F), denominator(x)); }
};

template <class Vec>
struct Silu {
  static constexpr auto kKind = Activation::Kind::kSilu;
  explicit Silu(const Activation&) {}
  PENULT_INLINE Vec operator()(Vec x) const { return Vec::div(x, Sigmoid<Vec>::denominator(x)); }
};

template <template <class> class... kFunctions>
struct FunctionList {
  // Calls body(function) with the function that `activation` names.
  template <class Vec, class Body>
  static PENULT_INLINE void with(const Activation& activation, const Body& body) {
    (offer<kFunctions<Vec>>(activation, body), ...);
  }
  template <class Function, class Body>
  static PENULT_INLINE void offer(const Activation& activation, const Body& body) {
    if (activation.kind == Function::kKind) body(Function(activation));
  }
};

// THE list of vector functions.
using AllFunctions =
    FunctionList<Identity, Clamp, LeakyRelu, HardSwish, HardSigmoid, Sigmoid, Silu>;

}  // namespace
}  // namespace penult::kernels
