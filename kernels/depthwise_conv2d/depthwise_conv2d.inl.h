#pragma once

// One dst row, several columns at a time, channels innermost: memory is read as a few long streams,
// which is what hardware prefetchers want (splitting the channels to fit L1 was slower).

#include <cstdint>

#include "kernels/depthwise_conv2d/depthwise_conv2d_params.h"
#include "kernels/simd/epilogue.inl.h"
#include "kernels/simd/rows.inl.h"

namespace penult::kernels {
namespace {

// Seven sums, up to five weights and one input fit 16 registers, fourteen 32; both divide the
// widths of the nets at 224 x 224.
template <class Vec>
constexpr int kMaxColumns = Vec::kRegisters == 32 ? 14 : 7;

// Eight pixels and the first of the next eight.
using Pixels = Multiples<9>;

// Of channel c: bias, then taps.
PENULT_INLINE const float* weights_of(const DepthwiseParams& params, int64_t taps, int64_t c) {
  return params.weights + (c & -kDepthwiseLine) * (1 + taps) + (c & (kDepthwiseLine - 1));
}

// Adds one kernel row to kColumns sums. An input vector is loaded once and used for every column
// that it touches; a column still sees its taps from left to right.
template <class Vec, int kKernel, int kStride, int kColumns>
PENULT_INLINE void add_kernel_row(Vec (&acc)[kColumns], const float* src, Pixels& pixels,
                                  const float* weights) {
  Vec w[kKernel];
  PENULT_UNROLL
  for (int k = 0; k < kKernel; ++k) w[k] = Vec::load(weights + k * kDepthwiseLine);
  pixels.hide();
  PENULT_UNROLL
  for (int i = 0; i < (kColumns - 1) * kStride + kKernel; ++i) {
    if (i > 0 && i % 8 == 0) src = behind(src, pixels[8]);
    const Vec x = Vec::load(behind(src, pixels[i % 8]));
    PENULT_UNROLL
    for (int column = 0; column < kColumns; ++column) {
      const int k = i - column * kStride;
      if (k >= 0 && k < kKernel) acc[column] = Vec::fma(x, w[k], acc[column]);
    }
  }
}

// The sums of kColumns neighbouring dst pixels, whose first is at `dst`.
template <class Vec, int kColumns>
PENULT_INLINE void store_columns(const Activation& activation, const Vec (&acc)[kColumns],
                                 float* dst, int64_t pixel) {
  with_light_activation<Vec>(activation, [&](const auto& activate) {
    float* to = dst;
    PENULT_UNROLL
    for (int column = 0; column < kColumns; ++column, to += pixel)
      Vec::store(to, activate(acc[column]));
  });
}

// Neighbouring dst pixels of one row, some of their channels. `residual` and `dst` are the
// addresses of channel 0; in each of the kernel's rows of src it is at `at`.
struct Columns {
  int64_t c_begin = 0, c_end = 0;
  const float* const* rows = nullptr;
  int64_t at = 0;
  const float* residual = nullptr;
  float* dst = nullptr;
};

// What is left for finish_columns takes the sums as they are.
PENULT_INLINE Activation activation_of(const DepthwiseParams& params, const Columns& at) {
  return at.residual ? Activation{} : params.activation;
}

// Residuals are rare and so are the functions that store_columns leaves out: both are done to what
// it has stored.
template <class Vec>
PENULT_NOINLINE void finish_columns(const DepthwiseParams& params, const Columns& at,
                                    int64_t columns) {
  for (int64_t column = 0; column < columns; ++column) {
    float* const dst = at.dst + column * params.dst_strides.pixel;
    if (at.residual) {
      const float* const residual = at.residual + column * params.residual_strides.pixel;
      for (int64_t c = at.c_begin; c < at.c_end; c += Vec::kLanes)
        Vec::store(dst + c, Vec::add(Vec::load(dst + c), Vec::load(residual + c)));
    }
    activate_floats<Vec>(params.activation, dst + at.c_begin, at.c_end - at.c_begin);
  }
}

template <class Vec>
PENULT_INLINE bool is_finished(const DepthwiseParams& params, const Columns& at) {
  return !at.residual && is_light<Vec>(params.activation);
}

template <class Vec, int kKernel, int kStride, int kColumns>
PENULT_NOINLINE void depthwise_columns(const DepthwiseParams& params, const Columns& at) {
  constexpr int64_t kTaps = kKernel * kKernel, kNextLine = kTaps * kDepthwiseLine;
  Pixels pixels(params.src_strides.pixel);
  const int64_t dst_pixel = params.dst_strides.pixel;
  const Activation activation = activation_of(params, at);
  const float* weights = weights_of(params, kTaps, at.c_begin);
  for (int64_t c = at.c_begin, end = at.c_end; c < end; c += Vec::kLanes) {
    const Vec bias = Vec::load(weights);
    Vec acc[kColumns];
    PENULT_UNROLL
    for (int column = 0; column < kColumns; ++column) acc[column] = bias;
    PENULT_UNROLL
    for (int ky = 0; ky < kKernel; ++ky) {
      add_kernel_row<Vec, kKernel, kStride>(acc, at.rows[ky] + at.at + c, pixels,
                                            weights + (1 + ky * kKernel) * kDepthwiseLine);
    }
    store_columns(activation, acc, at.dst + c, dst_pixel);
    weights += Vec::kLanes;
    if ((c + Vec::kLanes) % kDepthwiseLine == 0) weights += kNextLine;
  }
  if (!is_finished<Vec>(params, at)) finish_columns<Vec>(params, at, kColumns);
}

using ColumnsFn = void (*)(const DepthwiseParams&, const Columns&);

template <class Vec, int kKernel, int kStride, int kColumns = kMaxColumns<Vec>>
ColumnsFn pick_columns(int64_t columns) {
  if (columns == kColumns) return depthwise_columns<Vec, kKernel, kStride, kColumns>;
  if constexpr (kColumns > 1)
    return pick_columns<Vec, kKernel, kStride, kColumns - 1>(columns);
  else
    return nullptr;  // not reached: 1 <= columns <= kMaxColumns<Vec>
}

template <class Vec, int kKernel, int kStride>
void depthwise_row(const DepthwiseParams& params, Columns columns) {
  const int64_t blocks = (params.ow + kMaxColumns<Vec> - 1) / kMaxColumns<Vec>;
  const int64_t width = params.ow / blocks, wider = params.ow % blocks;  // the first: width + 1
  const ColumnsFn wide = wider ? pick_columns<Vec, kKernel, kStride>(width + 1) : nullptr;
  const ColumnsFn narrow = pick_columns<Vec, kKernel, kStride>(width);
  for (int64_t block = 0; block < blocks; ++block) {
    const int64_t count = width + (block < wider);
    (block < wider ? wide : narrow)(params, columns);
    columns.at += count * kStride * params.src_strides.pixel;
    if (columns.residual) columns.residual += count * params.residual_strides.pixel;
    columns.dst += count * params.dst_strides.pixel;
  }
}

template <class Vec, int kKernel, int kStride>
void depthwise_rows(const DepthwiseParams& params) {
  for (int64_t row = params.row_begin; row < params.row_end; ++row) {
    const int64_t image = row / params.oh, y = row % params.oh;
    const float* rows[kKernel];
    for (int ky = 0; ky < kKernel; ++ky)
      rows[ky] = params.src + row_start(params.src_strides, image, y * kStride - params.ph + ky);
    Columns columns{.rows = rows, .dst = params.dst + row_start(params.dst_strides, image, y)};
    if (params.residual)
      columns.residual = params.residual + row_start(params.residual_strides, image, y);
    for (int64_t c = params.c_begin; c < params.c_end; c += params.c_block) {
      columns.c_begin = c;
      columns.c_end = c + params.c_block < params.c_end ? c + params.c_block : params.c_end;
      depthwise_row<Vec, kKernel, kStride>(params, columns);
    }
  }
}

template <class Vec>
void depthwise_conv2d_f32(const DepthwiseParams& params) {
  const bool small = params.kh == 3, unit = params.sh == 1;
  if (small && unit) return depthwise_rows<Vec, 3, 1>(params);
  if (small) return depthwise_rows<Vec, 3, 2>(params);
  if (unit) return depthwise_rows<Vec, 5, 1>(params);
  return depthwise_rows<Vec, 5, 2>(params);
}

}  // namespace
}  // namespace penult::kernels
