#pragma once

#include <span>

#include "engine/base/activation.h"

namespace penult {

// What is known of a kind besides the vector code that computes it (kernels/simd/functions.inl.h).
struct ActivationDef {
  Activation::Kind kind;
  const char* name;
  int parameters;                              // of a, b
  double (*apply)(const Activation&, double);  // the definition; a NaN stays a NaN
};

// THE list of pointwise functions (activation_def.cpp): a row for each kind, in their order.
std::span<const ActivationDef> all_activations();

inline const ActivationDef& def_of(const Activation& activation) {
  return all_activations()[static_cast<size_t>(activation.kind)];
}

}  // namespace penult
