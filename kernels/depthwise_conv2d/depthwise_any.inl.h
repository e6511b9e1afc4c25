#pragma once

// Any kernel, stride and dilation: the loops over the kernel are not unrolled, so an input is
// loaded for each column that it touches.

#include "kernels/depthwise_conv2d/depthwise_conv2d.inl.h"

namespace penult::kernels {
namespace {

constexpr int kAnyColumns = 4;  // hide the latency of the sums

template <class Vec, int kColumns>
PENULT_NOINLINE void depthwise_any_columns(const DepthwiseParams& params, const float* src,
                                           const Columns& at) {
  const int64_t row = params.dh * params.src_strides.row;
  const int64_t pixel = params.dw * params.src_strides.pixel;
  const int64_t next_column = params.sw * params.src_strides.pixel;
  const Activation activation = activation_of(params, at);
  for (int64_t c = at.c_begin; c < at.c_end; c += Vec::kLanes) {
    const float* weights = weights_of(params, params.kh * params.kw, c);
    const Vec bias = Vec::load(weights);
    Vec acc[kColumns];
    PENULT_UNROLL
    for (int column = 0; column < kColumns; ++column) acc[column] = bias;
    for (int64_t ky = 0; ky < params.kh; ++ky) {
      const float* x = src + ky * row + c;
      for (int64_t kx = 0; kx < params.kw; ++kx, x += pixel) {
        weights += kDepthwiseLine;
        const Vec w = Vec::load(weights);
        PENULT_UNROLL
        for (int column = 0; column < kColumns; ++column)
          acc[column] = Vec::fma(Vec::load(x + column * next_column), w, acc[column]);
      }
    }
    store_columns(activation, acc, at.dst + c, params.dst_strides.pixel);
  }
  if (!is_finished<Vec>(params, at)) finish_columns<Vec>(params, at, kColumns);
}

template <class Vec>
void depthwise_any_f32(const DepthwiseParams& params) {
  for (int64_t row = params.row_begin; row < params.row_end; ++row) {
    const int64_t image = row / params.oh, y = row % params.oh;
    const float* src = params.src + row_start(params.src_strides, image, y * params.sh - params.ph);
    Columns at{.c_begin = params.c_begin,
               .c_end = params.c_end,
               .dst = params.dst + row_start(params.dst_strides, image, y)};
    if (params.residual)
      at.residual = params.residual + row_start(params.residual_strides, image, y);
    for (int64_t x = 0; x < params.ow;) {
      const bool many = x + kAnyColumns <= params.ow;
      const int64_t columns = many ? kAnyColumns : 1;
      (many ? depthwise_any_columns<Vec, kAnyColumns> : depthwise_any_columns<Vec, 1>)(params, src,
                                                                                       at);
      src += columns * params.sw * params.src_strides.pixel;
      if (at.residual) at.residual += columns * params.residual_strides.pixel;
      at.dst += columns * params.dst_strides.pixel;
      x += columns;
    }
  }
}

}  // namespace
}  // namespace penult::kernels
