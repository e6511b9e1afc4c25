#pragma once

// dst[n,c,oh,ow] = sum of src[n,c,h,w] over the window / its pixels, as torch.nn.AdaptiveAvgPool2d.
// Window: rows floor(oh*IH/OH) up to ceil((oh+1)*IH/OH), columns alike: never empty, of up to two
// lengths, and overlapping where OH does not divide IH. OH may exceed IH. Attribute: output_size =
// OH, OW (it has made dst's size). Layout: nhwc f32. No epilogue. Numerics: native adds in (h, w)
// order in f32 and divides once: |err| <= (pixels + 1)*2^-24 * sum |src| / pixels.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kAdaptiveAvgPool2dTable;

void adaptive_avg_pool2d_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
