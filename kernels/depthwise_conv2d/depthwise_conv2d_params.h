#pragma once

// A k x k depthwise convolution over a map with a halo of zeros. Plain numbers only: read by files
// compiled for one ISA.

#include <cstdint>

#include "engine/base/activation.h"

namespace penult::kernels {

// Strides in floats.
struct DepthwiseStrides {
  int64_t image, row, pixel;
};

struct DepthwiseParams {
  int64_t kernel, stride;  // 3 or 5; 1 or 2; the same both ways
  int64_t oh, ow;
  int64_t row_begin = 0, row_end = 0;  // dst rows count through all images: image * oh + y
  int64_t c_begin = 0, c_end = 0;      // multiples of kChannelPad
  const float* src;  // where the first tap of dst pixel (0, 0) reads, inside the halo
  DepthwiseStrides src_strides;
  const float* residual;  // null: none
  DepthwiseStrides residual_strides;
  float* dst;
  DepthwiseStrides dst_strides;
  const float* weights;  // [kernel * kernel][c_step], zero beyond the channels
  const float* bias;     // [c_step]
  int64_t c_step;
  Activation activation;
};

void depthwise_conv2d_f32_scalar(const DepthwiseParams& params);
void depthwise_conv2d_f32_portable16(const DepthwiseParams& params);
void depthwise_conv2d_f32_avx2(const DepthwiseParams& params);
void depthwise_conv2d_f32_avx512(const DepthwiseParams& params);

}  // namespace penult::kernels
