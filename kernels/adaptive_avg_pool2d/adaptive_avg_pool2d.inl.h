#pragma once

#include <cstdint>

#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d_params.h"
#include "kernels/simd/vec.h"

namespace penult::kernels {
namespace {

constexpr int kMeanChannels = 16;  // at a time: one cache line

// Inputs [begin, end) of output `i`.
struct AdaptiveWindow {
  int64_t begin, end;

  static PENULT_INLINE AdaptiveWindow of(int64_t i, int64_t in, int64_t out) {
    return {i * in / out, ((i + 1) * in + out - 1) / out};
  }
  PENULT_INLINE int64_t size() const { return end - begin; }
};

// One dst pixel: pixels of its windows in raster order, one accumulator a channel. `src`: pixel
// (0,0) of the image.
template <class Vec>
PENULT_INLINE void mean_pixel(const AdaptiveAvgPool2dParams& params, const AdaptiveWindow& rows,
                              const AdaptiveWindow& columns, const float* src, float* dst) {
  constexpr int kVecs = kMeanChannels / Vec::kLanes;
  const Strides& from = params.src_strides;
  const Vec pixels = Vec::set(static_cast<float>(rows.size() * columns.size()));
  for (int64_t c = 0; c < params.c; c += kMeanChannels) {
    Vec acc[kVecs];
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) acc[v] = Vec::set(0.0F);
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      const float* pixel = src + y * from.row + columns.begin * from.pixel + c;
      for (int64_t x = columns.begin; x < columns.end; ++x, pixel += from.pixel) {
        PENULT_UNROLL
        for (int v = 0; v < kVecs; ++v)
          acc[v] = Vec::add(acc[v], Vec::load(pixel + v * Vec::kLanes));
      }
    }
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) Vec::store(dst + c + v * Vec::kLanes, Vec::div(acc[v], pixels));
  }
}

template <class Vec>
void adaptive_avg_pool2d_f32(const AdaptiveAvgPool2dParams& params) {
  const Strides& to = params.dst_strides;
  for (int64_t row = params.row_begin; row < params.row_end; ++row) {
    const int64_t image = row / params.oh, y = row % params.oh;
    const AdaptiveWindow rows = AdaptiveWindow::of(y, params.ih, params.oh);
    const float* src = params.src + image * params.src_strides.image;
    float* dst = params.dst + image * to.image + y * to.row;
    for (int64_t x = 0; x < params.ow; ++x, dst += to.pixel) {
      mean_pixel<Vec>(params, rows, AdaptiveWindow::of(x, params.iw, params.ow), src, dst);
    }
  }
}

}  // namespace
}  // namespace penult::kernels
