#pragma once

// dst[n,c,h,w] = epilogue(f(src[n,c,h,w])), f = clamp(., 0, inf) for "relu", clamp(., 0, 6) for
// "relu6". Layout: nhwc f32. Numerics: exact.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kReluTable, kRelu6Table;

// The function of problem.op, which is one of the tables' operators.
Activation activation_of(const Problem& problem);

void activation_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
