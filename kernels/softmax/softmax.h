#pragma once

// dst[n,c] = exp(src[n,c] - m) / sum_i exp(src[n,i] - m), m = max_i src[n,i]: torch.nn.Softmax over
// a vector. Layout: f32. No epilogue. A NaN, or an infinity that is the maximum, makes all of dst
// NaN.
// Numerics: native adds lane by lane, then the lanes in order, in f32; relative error <= (c/lanes +
// lanes + 8 + |src - m|) * 2^-24.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kSoftmaxTable;

void softmax_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
