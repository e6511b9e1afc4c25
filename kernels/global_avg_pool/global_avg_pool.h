#pragma once

// dst[n,c] = epilogue(sum_{h,w} src[n,c,h,w] / (H*W)). Layout: src nhwc f32; dst a vector or a
// (c,1,1) map. Numerics: native adds pixels in raster order in f32, one accumulator a channel, and
// multiplies by 1/(H*W) rounded to f32: |err| <= (H*W + 2)*2^-24 * sum |src| / (H*W).

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kGlobalAvgPoolTable;

void global_avg_pool_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
