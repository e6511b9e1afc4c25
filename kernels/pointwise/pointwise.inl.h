#pragma once

#include <cstdint>

#include "kernels/pointwise/pointwise_params.h"
#include "kernels/simd/epilogue.inl.h"

namespace penult::kernels {
namespace {

template <class Float>
PENULT_INLINE Float* pointwise_row(const PointwiseMap<Float>& map, int64_t image, int64_t y) {
  return map.data ? map.data + image * map.image_stride + y * map.row_stride : nullptr;
}

// dst = activation(compute(a, b, c) + residual) for each vector, where a and b are the addresses of
// the same element in src[0] and src[1] and c is its channel.
template <class Vec, class Compute, class Activate>
PENULT_INLINE void pointwise_loop(const PointwiseParams& params, const Compute& compute,
                                  const Activate& activate) {
  for (int64_t row = params.row_begin; row < params.row_end; ++row) {
    const int64_t image = row / params.h, y = row % params.h;
    const float* a = pointwise_row(params.src[0], image, y);
    const float* b = pointwise_row(params.src[1], image, y);
    const float* residual = pointwise_row(params.residual, image, y);
    float* dst = pointwise_row(params.dst, image, y);
    for (int64_t x = 0; x < params.w; ++x) {
      for (int64_t c = 0; c < params.c; c += Vec::kLanes) {
        Vec result = compute(a + c, b + c, c);
        if (residual) result = Vec::add(result, Vec::load(residual + c));
        Vec::store(dst + c, activate(result));
      }
      activate_stored<Vec>(params.activation, dst, params.c);
      a += params.src[0].pixel_stride;
      b += params.src[1].pixel_stride;
      if (residual) residual += params.residual.pixel_stride;
      dst += params.dst.pixel_stride;
    }
  }
}

template <class Vec, class Compute>
PENULT_INLINE void pointwise(const PointwiseParams& params, const Compute& compute) {
  with_light_activation<Vec>(params.activation, [&](const auto& activate) {
    pointwise_loop<Vec>(params, compute, activate);
  });
}

template <class Vec>
void activation_f32(const PointwiseParams& params) {
  with_activation<Vec>(params.function, [&](const auto& function) {
    pointwise<Vec>(params,
                   [&](const float* a, const float*, int64_t) { return function(Vec::load(a)); });
  });
}

template <class Vec>
void mul_f32(const PointwiseParams& params) {
  pointwise<Vec>(params, [](const float* a, const float* b, int64_t) {
    return Vec::mul(Vec::load(a), Vec::load(b));
  });
}

template <class Vec>
void add_f32(const PointwiseParams& params) {
  pointwise<Vec>(params, [](const float* a, const float* b, int64_t) {
    return Vec::add(Vec::load(a), Vec::load(b));
  });
}

template <class Vec>
void batchnorm_f32(const PointwiseParams& params) {
  pointwise<Vec>(params, [&](const float* a, const float*, int64_t c) {
    return Vec::fma(Vec::load(a), Vec::load(params.scale + c), Vec::load(params.shift + c));
  });
}

}  // namespace
}  // namespace penult::kernels
