#pragma once

// dst[n, (c*H + h)*W + w] = src[n,c,h,w]. Layout: src nhwc f32, dst a vector. No epilogue.
// Numerics: exact. Native copies, a whole vector at once where there is one pixel: one row of the
// table serves all levels.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kFlattenTable;

void flatten_loops_f32_reference(const RunArgs& args);
void flatten_copy_f32_scalar(const RunArgs& args);

}  // namespace penult::kernels
