#pragma once

// dst[n,c,h,w] = epilogue(f(src[n,c,h,w])), f = Problem::function: the table of every operator that
// is a pointwise function. engine/base/activation_def.h defines the functions. Layout: nhwc f32.
// Numerics: clamp is exact, leaky_relu rounds once; hard_sigmoid rounds twice and multiplies by a
// rounded 1/6, hard_swish rounds once more;
// sigmoid and silu are within 4 ULP where exp(-x) does not overflow: exp brings 1, the sum and the
// quotient the rest. Below x = -88.72 both are 0.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kActivationTable;

void activation_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
