#pragma once

// dst[n,c,h,w] = src[n, begin + c, h, w]. Attributes: begin, end. Layout: nhwc f32. No epilogue.
// Numerics: exact. Native copies a part of each pixel, which no instruction set does better than
// memcpy: one row serves all levels.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kSliceTable;

void slice_loops_f32_reference(const RunArgs& args);
void slice_copy_f32_scalar(const RunArgs& args);

}  // namespace penult::kernels
