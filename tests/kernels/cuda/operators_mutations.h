#pragma once

// The kernels of operators with a bug planted in each, which the tests must catch.

#include <span>

#include "kernels/cuda/row.h"

namespace penult::testing {

struct Mutation {
  const char* name;
  const char* problem;  // that shows it (bench/shapes/corpus.h)
  kernels::Kernel kernel;
  bool reported;  // the checker sees it in every order of execution; else the numbers are wrong
};

std::span<const Mutation> operator_mutations();
// Each without one of its barriers, which the checker sees in every order of execution.
std::span<const kernels::Kernel> squeeze_excitation_mutations();

}  // namespace penult::testing
