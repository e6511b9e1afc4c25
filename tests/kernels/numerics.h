#pragma once

// What tests know of a problem: its cost, and how exact a kernel must be.

#include <cstdint>

#include "bench/shapes/corpus.h"
#include "kernels/kernel.h"

namespace penult::testing {

using shapes::ProblemSpec;

// How far a native kernel may be off.
struct ErrorBound {
  int64_t roundings;
  bool relative;  // to the result, else to the magnitude
  int functions;  // that round: the operator's own and the epilogue's

  // At an element where absolute values without activations give `magnitude` (magnitudes_of) and
  // the reference gives `expected`.
  double at(double magnitude, double expected) const;
};
ErrorBound error_bound(const ProblemSpec& spec,
                       kernels::NumericClass numeric_class = kernels::NumericClass::kDirect);

// If every intermediate result of small integers is an integer.
bool is_exact_on_integers(const ProblemSpec& spec,
                          kernels::NumericClass numeric_class = kernels::NumericClass::kDirect);

// What testing one image costs: arithmetic, and buffers to make and compare.
int64_t test_cost(const ProblemSpec& spec);

// The same problem on a smaller map, and if K is large with fewer output channels (no less than
// 128), so that a test of all corpora stays short; K remains.
ProblemSpec reduced(ProblemSpec spec, int64_t max_test_cost);

}  // namespace penult::testing
