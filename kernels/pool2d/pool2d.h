#pragma once

// max_pool2d: dst[n,c,oh,ow] = max_{kh,kw} src[n, c, oh*sh-ph+kh*dh, ow*sw-pw+kw*dw]
// avg_pool2d: dst[n,c,oh,ow] = sum_{kh,kw} src[n, c, oh*sh-ph+kh, ow*sw-pw+kw] / divisor
// over the positions inside src, as torch.nn.MaxPool2d and AvgPool2d; a window without any gives
// -inf or 0. Divisor: the positions inside src or, with count_include_pad, inside src and its pads
// (what a ceil-mode window has beyond them never counts).
// Attributes: kernel, strides, pads (top, left, bottom, right), ceil_mode (it has made dst's size),
// dilations (max), count_include_pad (avg). Layout: nhwc f32. No halo: zeros around src would win
// against negative numbers, so windows are clipped. No epilogue.
// Numerics: the maximum is exact, NaN if any number in the window is; native averages add in
// (kh, kw) order in f32 and divide once: |err| <= KH*KW*2^-24 * sum |src| / divisor.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kMaxPool2dTable, kAvgPool2dTable;

struct Pool2dGeometry {
  int64_t kh, kw, sh, sw, dh, dw;
  int64_t ph, pw;                // top, left
  int64_t padded_ih, padded_iw;  // where src and its pads end, from pixel (0, 0)
  bool count_include_pad;
};
Pool2dGeometry pool2d_geometry(const Problem& problem);

void max_pool2d_loops_f32_reference(const RunArgs& args);
void avg_pool2d_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
