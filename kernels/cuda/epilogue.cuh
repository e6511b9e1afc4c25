#pragma once

// What kernels do to a sum before they store it. Definitions: engine/base/activation_def.cpp. The
// kind is data, not a template parameter: the branch is the same for a whole grid, and one set of
// instances serves all activations.

#include "engine/base/activation.h"
#include "kernels/cuda/gpu.h"

namespace penult::kernels::cuda {

// Written so that a NaN stays a NaN, which fminf and fmaxf would drop.
GPU_FN float clamp(float x, float lo, float hi) { return x < lo ? lo : x > hi ? hi : x; }

GPU_FN float sixth_of_clamped(float y) { return clamp(y + 3.0F, 0.0F, 6.0F) * (1.0F / 6.0F); }

// exp may be infinite, and then the quotient is the 0 that is meant. No sum of products here: there
// is nothing that a compiler could fuse.
template <int kCount>
GPU_FN void activate(const Activation& a, float (&x)[kCount]) {
  switch (a.kind) {  // one branch for all
    case Activation::Kind::kNone:
      return;
    case Activation::Kind::kClamp:
      GPU_UNROLL for (float& y : x) y = clamp(y, a.a, a.b);
      return;
    case Activation::Kind::kLeakyRelu:
      GPU_UNROLL for (float& y : x) y = y > 0 ? y : a.a * y;
      return;
    case Activation::Kind::kHardSwish:
      GPU_UNROLL for (float& y : x) y *= sixth_of_clamped(y);
      return;
    case Activation::Kind::kHardSigmoid:
      GPU_UNROLL for (float& y : x) y = sixth_of_clamped(y);
      return;
    case Activation::Kind::kSigmoid:
      GPU_UNROLL for (float& y : x) y = 1.0F / (1.0F + gpu::exp(-y));
      return;
    case Activation::Kind::kSilu:
      GPU_UNROLL for (float& y : x) y = y / (1.0F + gpu::exp(-y));
      return;
  }
}

GPU_FN float activate(const Activation& a, float y) {
  float x[1] = {y};
  activate(a, x);
  return x[0];
}

}  // namespace penult::kernels::cuda
