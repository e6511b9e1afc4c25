#pragma once

// The one place where vectors meet activations: every native kernel ends here, so that a fused
// activation and the activation operator do the same arithmetic.

#include "kernels/simd/activation_params.h"
#include "kernels/simd/vec.h"

namespace penult::kernels {
namespace {

template <class Vec>
struct Identity {
  PENULT_INLINE Vec operator()(Vec y) const { return y; }
};

template <class Vec>
struct Clamp {
  Vec lo, hi;
  PENULT_INLINE Vec operator()(Vec y) const { return Vec::clamp(y, lo, hi); }
};

// Calls body(activate) with the function object for `params`. The choice is made here, outside the
// loops of `body`; call it after a register-full loop, since its constants take registers.
template <class Vec, class Body>
PENULT_INLINE void with_activation(const ActivationParams& params, const Body& body) {
  switch (params.code) {
    case kActivationNone:
      return body(Identity<Vec>{});
    case kActivationClamp:
      return body(Clamp<Vec>{Vec::set(params.lo), Vec::set(params.hi)});
  }
}

}  // namespace
}  // namespace penult::kernels
