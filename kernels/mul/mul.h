#pragma once

// dst[n,c,h,w] = epilogue(a[n,c,h,w] * b[n,c,h,w]); an input that is a vector (c) or a map (c,1,1)
// has one factor for all pixels of a channel. Layout: nhwc f32. Numerics: one rounding.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kMulTable;

void mul_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
