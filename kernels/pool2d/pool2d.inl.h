#pragma once

#include <cstdint>

#include "kernels/pool2d/pool2d_params.h"
#include "kernels/simd/rows.inl.h"
#include "kernels/simd/vec.h"

namespace penult::kernels {
namespace {

constexpr int kPoolChannels = 16;  // at a time: one cache line

// Kernel positions [begin, end) of output `out` that lie inside the input.
struct PoolWindow {
  int64_t begin, end;
  int64_t padded;  // positions inside input and pads
};

PENULT_INLINE PoolWindow pool_window(const PoolAxis& axis, int64_t out) {
  const int64_t start = out * axis.stride - axis.pad, step = axis.dilation;
  const auto positions_before = [&](int64_t place) {
    const int64_t count = place > start ? (place - start + step - 1) / step : 0;
    return count < axis.kernel ? count : axis.kernel;
  };
  return {positions_before(0), positions_before(axis.in), positions_before(axis.padded_in)};
}

template <class Vec>
struct Maximum {
  static PENULT_INLINE Vec start() { return Vec::set(-__builtin_inff()); }
  static PENULT_INLINE Vec next(Vec acc, Vec x) { return Vec::max(acc, x); }
  PENULT_INLINE Vec finish(Vec acc) const { return acc; }
  static PENULT_INLINE Maximum of(const Pool2dParams&, const PoolWindow&, const PoolWindow&) {
    return {};
  }
};

template <class Vec>
struct Average {
  Vec divisor;
  static PENULT_INLINE Vec start() { return Vec::set(0.0F); }
  static PENULT_INLINE Vec next(Vec acc, Vec x) { return Vec::add(acc, x); }
  PENULT_INLINE Vec finish(Vec acc) const { return Vec::div(acc, divisor); }
  static PENULT_INLINE Average of(const Pool2dParams& params, const PoolWindow& rows,
                                  const PoolWindow& columns) {
    const int64_t inside = (rows.end - rows.begin) * (columns.end - columns.begin);
    const int64_t count = params.count_include_pad ? rows.padded * columns.padded : inside;
    return {Vec::set(inside > 0 ? static_cast<float>(count) : 1.0F)};
  }
};

// Where the rows of the windows of one dst row start. In a ring they may go on at its first slot.
struct WindowRows {
  int64_t first, step, wrap, back;

  PENULT_INLINE int64_t at(int64_t ky) const { return first + ky * step - (ky >= wrap ? back : 0); }
  static PENULT_INLINE WindowRows of(const Pool2dParams& params, int64_t image, int64_t y) {
    const Strides& from = params.src_strides;
    const int64_t top = y * params.rows.stride - params.rows.pad, step = params.rows.dilation;
    WindowRows rows{row_start(from, image, top), step * from.row, params.rows.kernel, 0};
    if (from.ring_rows > 0) {
      rows.back = from.ring_rows * from.row;
      rows.wrap = (from.ring_rows - rows.first / from.row + step - 1) / step;
    }
    return rows;
  }
};

// One dst pixel, positions in raster order. `src` is the first column of the windows' rows, which
// may lie outside the map: only positions inside are read.
template <class Vec, class Reduce>
PENULT_INLINE void pool_pixel(const Pool2dParams& params, const Reduce& reduce,
                              const WindowRows& starts, const PoolWindow& rows,
                              const PoolWindow& columns, int64_t src, float* dst) {
  constexpr int kVecs = kPoolChannels / Vec::kLanes;
  const int64_t pixel_step = params.columns.dilation * params.src_strides.pixel;
  for (int64_t c = 0; c < params.c; c += kPoolChannels) {
    Vec acc[kVecs];
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) acc[v] = Reduce::start();
    for (int64_t ky = rows.begin; ky < rows.end; ++ky) {
      for (int64_t kx = columns.begin; kx < columns.end; ++kx) {
        const float* p = params.src + (src + starts.at(ky) + kx * pixel_step + c);
        PENULT_UNROLL
        for (int v = 0; v < kVecs; ++v)
          acc[v] = Reduce::next(acc[v], Vec::load(p + v * Vec::kLanes));
      }
    }
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) Vec::store(dst + c + v * Vec::kLanes, reduce.finish(acc[v]));
  }
}

template <class Vec, class Reduce>
void pool2d_f32(const Pool2dParams& params) {
  const Strides &from = params.src_strides, &to = params.dst_strides;
  for (int64_t row = params.row_begin; row < params.row_end; ++row) {
    const int64_t image = row / params.rows.out, y = row % params.rows.out;
    const PoolWindow rows = pool_window(params.rows, y);
    const WindowRows starts = WindowRows::of(params, image, y);
    float* dst = params.dst + row_start(to, image, y);
    for (int64_t x = 0; x < params.columns.out; ++x, dst += to.pixel) {
      const PoolWindow columns = pool_window(params.columns, x);
      const int64_t left = (x * params.columns.stride - params.columns.pad) * from.pixel;
      pool_pixel<Vec>(params, Reduce::of(params, rows, columns), starts, rows, columns, left, dst);
    }
  }
}

}  // namespace
}  // namespace penult::kernels
