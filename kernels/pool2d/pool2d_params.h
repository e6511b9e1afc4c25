#pragma once

// Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

#include "kernels/strides.h"

namespace penult::kernels {

// One axis of the window: position k of output o reads input o * stride - pad + k * dilation.
struct PoolAxis {
  int64_t in, out, kernel, stride, dilation, pad;
  int64_t padded_in;  // where input and pads end, from input 0
};

struct Pool2dParams {
  PoolAxis rows, columns;
  int64_t c;                   // rounded up to kChannelPad
  int64_t row_begin, row_end;  // dst rows count through all images: image * oh + y
  const float* src;
  Strides src_strides;
  float* dst;
  Strides dst_strides;
  bool count_include_pad;  // average only
};

void max_pool2d_f32_scalar(const Pool2dParams& params);
void max_pool2d_f32_portable16(const Pool2dParams& params);
void max_pool2d_f32_avx2(const Pool2dParams& params);
void max_pool2d_f32_avx512(const Pool2dParams& params);
void avg_pool2d_f32_scalar(const Pool2dParams& params);
void avg_pool2d_f32_portable16(const Pool2dParams& params);
void avg_pool2d_f32_avx2(const Pool2dParams& params);
void avg_pool2d_f32_avx512(const Pool2dParams& params);

}  // namespace penult::kernels
