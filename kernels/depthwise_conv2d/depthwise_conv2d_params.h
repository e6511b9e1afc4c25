#pragma once

// A depthwise convolution over a map with a halo of zeros. Plain numbers only: read by files
// compiled for one ISA.

#include <cstdint>

#include "engine/base/activation.h"
#include "kernels/strides.h"

namespace penult::kernels {

// Channels whose weights stand together: one line of the cache for each tap, one stream for all, of
// which their bias is the head.
// Taps that are `channels` floats apart would share a few sets of the L1 cache where that is a
// power of 2.
constexpr int64_t kDepthwiseLine = 16;

struct DepthwiseParams {
  int64_t kh, kw, sh, sw, dh, dw, ph;
  int64_t oh, ow;
  int64_t row_begin = 0, row_end = 0;  // dst rows count through all images: image * oh + y
  int64_t c_begin = 0, c_end = 0;      // multiples of kChannelPad
  const float* src;  // where in row 0 the first tap of dst column 0 reads, inside the halo
  Strides src_strides;
  const float* residual;  // null: none
  Strides residual_strides;
  float* dst;
  Strides dst_strides;
  // [c / kDepthwiseLine][1 + kh * kw][kDepthwiseLine], zero beyond the channels
  const float* weights;
  // Rows are worked off over so many channels at a time, a multiple of kChannelPad.
  int64_t c_block = 0;
  Activation activation;
};

// Kernels of 3x3 or 5x5, strides of 1 or 2, the same both ways; no dilation.
void depthwise_conv2d_f32_scalar(const DepthwiseParams& params);
void depthwise_conv2d_f32_portable16(const DepthwiseParams& params);
void depthwise_conv2d_f32_avx2(const DepthwiseParams& params);
void depthwise_conv2d_f32_avx512(const DepthwiseParams& params);

// All others.
void depthwise_any_f32_scalar(const DepthwiseParams& params);
void depthwise_any_f32_portable16(const DepthwiseParams& params);
void depthwise_any_f32_avx2(const DepthwiseParams& params);
void depthwise_any_f32_avx512(const DepthwiseParams& params);

}  // namespace penult::kernels
