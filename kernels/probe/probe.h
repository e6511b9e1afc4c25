#pragma once

// How fast this processor multiplies and adds at best: the measure that kernels are held against.

#include <cstdint>

#include "engine/base/cpu_features.h"

namespace penult::kernels {

// Runs `rounds` rounds of independent multiply-adds in registers, with the instructions of `isa`.
// Returns how many floating-point operations that were (a multiply-add counts as two).
int64_t run_fma_probe(Isa isa, int64_t rounds);

}  // namespace penult::kernels
