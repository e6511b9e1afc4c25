#pragma once

// dst[n, first_i + c, h, w] = src_i[n,c,h,w], first_i the channels of the inputs before i. Layout:
// nhwc f32. No epilogue. Numerics: exact. Native copies whole pixels, which no instruction set does
// better than memcpy: one row serves all levels.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kConcatTable;

void concat_loops_f32_reference(const RunArgs& args);
void concat_copy_f32_scalar(const RunArgs& args);

}  // namespace penult::kernels
