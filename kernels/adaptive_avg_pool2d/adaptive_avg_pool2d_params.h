#pragma once

// Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

#include "kernels/strides.h"

namespace penult::kernels {

struct AdaptiveAvgPool2dParams {
  int64_t ih, iw, oh, ow;
  int64_t c;                   // rounded up to kChannelPad
  int64_t row_begin, row_end;  // dst rows count through all images: image * oh + y
  const float* src;
  Strides src_strides;
  float* dst;
  Strides dst_strides;
};

void adaptive_avg_pool2d_f32_scalar(const AdaptiveAvgPool2dParams& params);
void adaptive_avg_pool2d_f32_portable16(const AdaptiveAvgPool2dParams& params);
void adaptive_avg_pool2d_f32_avx2(const AdaptiveAvgPool2dParams& params);
void adaptive_avg_pool2d_f32_avx512(const AdaptiveAvgPool2dParams& params);

}  // namespace penult::kernels
