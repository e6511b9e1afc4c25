#pragma once

// dst[n,c,h,w] = src[n, c, h-top, w-left], or 0 outside src; attribute pads = top, left, bottom,
// right, which cut where they are negative. Layout: nhwc f32. No epilogue. Numerics: exact. Native
// copies whole rows: one row of the table serves all levels.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kPadTable;

void pad_loops_f32_reference(const RunArgs& args);
void pad_copy_f32_scalar(const RunArgs& args);

}  // namespace penult::kernels
