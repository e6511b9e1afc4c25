#pragma once

// Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

#include "engine/base/activation.h"

namespace penult::kernels {

struct GlobalAvgPoolParams {
  int64_t h, w;
  // Work is counted in blocks of kChannelPad channels: image * blocks + block.
  int64_t blocks, begin, end;
  const float* src;
  int64_t src_image_stride, src_row_stride, src_pixel_stride;
  const float* residual;  // null: none
  int64_t residual_image_stride;
  float* dst;
  int64_t dst_image_stride;
  float scale;  // 1 / (h * w)
  Activation activation;
};

void global_avg_pool_f32_scalar(const GlobalAvgPoolParams& params);
void global_avg_pool_f32_portable16(const GlobalAvgPoolParams& params);
void global_avg_pool_f32_avx2(const GlobalAvgPoolParams& params);
void global_avg_pool_f32_avx512(const GlobalAvgPoolParams& params);

}  // namespace penult::kernels
