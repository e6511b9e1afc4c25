#pragma once

// engine/base/activation.h for files compiled for one ISA: numbers only.

namespace penult::kernels {

enum ActivationCode : int { kActivationNone, kActivationClamp };

struct ActivationParams {
  ActivationCode code;
  float lo, hi;  // kActivationClamp
};

}  // namespace penult::kernels
