#pragma once

#include <memory>
#include <string>

#include "penult/model.h"

namespace penult::program {

// The worst agreement over all taps of a model between two backends.
struct Proof {
  int taps = 0;
  double cosine = 1;      // smallest
  double error = 0;       // largest |difference| / largest |value| of the tap
  std::string worst_tap;  // of `error`
};

// Runs the net at 64 x 64 on fixed pseudo-random input through `native`, each tap with everything
// before it as fused as it gets when the output is taken, and through `reference`. ModelInvalid
// beyond 1 - 1e-6 or 1e-4.
Result<Proof> prove_kernels(const std::shared_ptr<const Model>& model);

}  // namespace penult::program
