#pragma once

// dst[n,c,h,w] = epilogue(a[n,c,h,w] + b[n,c,h,w]). Layout: nhwc f32. Numerics: one rounding.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kAddTable;

void add_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
