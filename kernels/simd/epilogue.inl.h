#pragma once

// The one place where kernels meet activations: every native kernel ends here, so that a fused
// activation and the activation operator do the same arithmetic.

#include <cstdint>

#include "kernels/simd/functions.inl.h"

namespace penult::kernels {
namespace {

// Calls body(activate) with the function object for `activation`. The choice is made here, outside
// the loops of `body`; call it after a register-full loop, since its constants take registers.
// `body` is compiled once for each function: for short ones.
template <class Vec, class Body>
PENULT_INLINE void with_activation(const Activation& activation, const Body& body) {
  AllFunctions::with<Vec>(activation, body);
}

// For large bodies, such as the results of a tile of registers: with_light_activation applies the
// functions that are cheap to compile in and leaves the others out; activate_stored then applies
// these to what `body` has stored, while it is in the cache. Same operations, same bits.
template <class Vec, class Body>
PENULT_INLINE void with_light_activation(const Activation& activation, const Body& body) {
  if (activation.kind == Clamp<Vec>::kKind) return body(Clamp<Vec>(activation));
  if (activation.kind == HardSwish<Vec>::kKind) return body(HardSwish<Vec>(activation));
  body(Identity<Vec>(activation));
}

// `floats` is a multiple of Vec::kLanes.
template <class Vec>
PENULT_NOINLINE void activate_floats(const Activation& activation, float* data, int64_t floats) {
  with_activation<Vec>(activation, [&](const auto& activate) {
    for (int64_t i = 0; i < floats; i += Vec::kLanes)
      Vec::store(data + i, activate(Vec::load(data + i)));
  });
}

template <class Vec>
PENULT_INLINE bool is_light(const Activation& activation) {
  return activation.kind == Identity<Vec>::kKind || activation.kind == Clamp<Vec>::kKind ||
         activation.kind == HardSwish<Vec>::kKind;
}

template <class Vec>
PENULT_INLINE void activate_stored(const Activation& activation, float* data, int64_t floats) {
  if (!is_light<Vec>(activation)) activate_floats<Vec>(activation, data, floats);
}

}  // namespace
}  // namespace penult::kernels
