#pragma once

#include <cstdint>

#include "kernels/global_avg_pool/global_avg_pool_params.h"
#include "kernels/simd/epilogue.inl.h"

namespace penult::kernels {
namespace {

constexpr int kPoolBlock = 16;  // channels: one cache line

// One block of channels of one image: pixels in raster order, one accumulator a channel.
template <class Vec>
PENULT_INLINE void pool_block(const GlobalAvgPoolParams& params, const float* src,
                              const float* residual, float* dst) {
  constexpr int kVecs = kPoolBlock / Vec::kLanes;
  Vec acc[kVecs];
  PENULT_UNROLL
  for (int v = 0; v < kVecs; ++v) acc[v] = Vec::set(0.0F);
  for (int64_t y = 0; y < params.h; ++y) {
    const float* pixel = src + y * params.src_row_stride;
    for (int64_t x = 0; x < params.w; ++x, pixel += params.src_pixel_stride) {
      PENULT_UNROLL
      for (int v = 0; v < kVecs; ++v) acc[v] = Vec::add(acc[v], Vec::load(pixel + v * Vec::kLanes));
    }
  }
  const Vec scale = Vec::set(params.scale);
  with_activation<Vec>(params.activation, [&](const auto& activate) {
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) {
      Vec mean = Vec::mul(acc[v], scale);
      if (residual) mean = Vec::add(mean, Vec::load(residual + v * Vec::kLanes));
      Vec::store(dst + v * Vec::kLanes, activate(mean));
    }
  });
}

template <class Vec>
void global_avg_pool_f32(const GlobalAvgPoolParams& params) {
  for (int64_t unit = params.begin; unit < params.end; ++unit) {
    const int64_t image = unit / params.blocks, c = unit % params.blocks * kPoolBlock;
    const float* residual =
        params.residual ? params.residual + image * params.residual_image_stride + c : nullptr;
    pool_block<Vec>(params, params.src + image * params.src_image_stride + c, residual,
                    params.dst + image * params.dst_image_stride + c);
  }
}

}  // namespace
}  // namespace penult::kernels
