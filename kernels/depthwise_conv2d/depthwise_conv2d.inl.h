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

// Where pixels 0 to 7 lie behind a first one, in bytes, each a form of address that x86 has
// (register times 1, 2, 4 or 8): without them each load of a pixel costs an addition, too.
class Pixels {
 public:
  explicit PENULT_INLINE Pixels(int64_t stride)
      : one_(stride * int64_t{sizeof(float)}), three_(3 * one_), five_(5 * one_), seven_(7 * one_) {
    hide();
  }

  PENULT_INLINE int64_t operator[](int i) const {
    if (i % 2 == 0) return i == 6 ? 2 * three_ : i * one_;
    return i == 1 ? one_ : i == 3 ? three_ : i == 5 ? five_ : seven_;
  }
  // From here on compilers do not know that these are multiples of each other, or constant: they
  // would make eight registers of four, and have none left.
  PENULT_INLINE void hide() { asm("" : "+r"(one_), "+r"(three_), "+r"(five_), "+r"(seven_)); }

 private:
  int64_t one_, three_, five_, seven_;
};

template <class Float>
PENULT_INLINE Float* behind(Float* p, int64_t bytes) {
  return reinterpret_cast<Float*>(reinterpret_cast<uintptr_t>(p) + static_cast<uintptr_t>(bytes));
}

PENULT_INLINE const float* weights_of(const DepthwiseParams& params, int64_t taps, int64_t c) {
  return params.weights + (c & -kDepthwiseLine) * taps + (c & (kDepthwiseLine - 1));
}

// Adds one kernel row to kColumns sums. An input vector is loaded once and used for every column
// that it touches; a column still sees its taps from left to right.
template <class Vec, int kKernel, int kStride, int kColumns>
PENULT_INLINE void add_kernel_row(Vec (&acc)[kColumns], const float* src, Pixels pixels,
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
                                 const float* residual, int64_t residual_pixel, float* dst,
                                 Pixels pixels) {
  with_light_activation<Vec>(activation, [&](const auto& activate) {
    Pixels at = pixels;
    at.hide();
    float* to = dst;
    PENULT_UNROLL
    for (int column = 0; column < kColumns; ++column) {
      if (column > 0 && column % 8 == 0) to = behind(to, at[8]);
      Vec y = acc[column];
      if (residual) y = Vec::add(y, Vec::load(residual + column * residual_pixel));
      Vec::store(behind(to, at[column % 8]), activate(y));
    }
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

// What store_columns left to do.
template <class Vec>
PENULT_INLINE void activate_columns(const DepthwiseParams& params, const Columns& at,
                                    int64_t columns) {
  for (int64_t column = 0; column < columns; ++column) {
    activate_stored<Vec>(params.activation, at.dst + column * params.dst_strides.pixel + at.c_begin,
                         at.c_end - at.c_begin);
  }
}

template <class Vec, int kKernel, int kStride, int kColumns>
PENULT_NOINLINE void depthwise_columns(const DepthwiseParams& params, const Columns& at) {
  const Pixels src_pixels(params.src_strides.pixel), dst_pixels(params.dst_strides.pixel);
  const float *const bias = params.bias, *const residual = at.residual;
  const float* rows[kKernel];
  PENULT_UNROLL
  for (int ky = 0; ky < kKernel; ++ky) rows[ky] = at.rows[ky] + at.at;
  float* const dst = at.dst;
  constexpr int64_t kTaps = kKernel * kKernel;
  const float* weights = weights_of(params, kTaps, at.c_begin);
  for (int64_t c = at.c_begin, end = at.c_end; c < end; c += Vec::kLanes) {
    Vec acc[kColumns];
    PENULT_UNROLL
    for (int column = 0; column < kColumns; ++column) acc[column] = Vec::load(bias + c);
    PENULT_UNROLL
    for (int ky = 0; ky < kKernel; ++ky) {
      add_kernel_row<Vec, kKernel, kStride>(acc, rows[ky] + c, src_pixels,
                                            weights + ky * kKernel * kDepthwiseLine);
    }
    store_columns(params.activation, acc, residual ? residual + c : nullptr,
                  params.residual_strides.pixel, dst + c, dst_pixels);
    const bool line_ends = (c + Vec::kLanes) % kDepthwiseLine == 0;
    weights += line_ends ? Vec::kLanes + (kTaps - 1) * kDepthwiseLine : Vec::kLanes;
  }
  activate_columns<Vec>(params, at, kColumns);
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
