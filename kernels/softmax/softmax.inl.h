#pragma once

#include <cstdint>

#include "kernels/simd/exp.inl.h"
#include "kernels/softmax/softmax_params.h"

namespace penult::kernels {
namespace {

// The vector at channel `at` of `c`: beyond them -inf, which neither maximum nor sum notice.
template <class Vec>
PENULT_INLINE Vec load_logits(const float* src, int64_t at, int64_t c) {
  if (at + Vec::kLanes <= c) return Vec::load(src + at);
  float lanes[Vec::kLanes];
  for (int i = 0; i < Vec::kLanes; ++i) lanes[i] = at + i < c ? src[at + i] : -__builtin_inff();
  return Vec::load(lanes);
}

template <class Vec>
PENULT_INLINE float largest_lane(Vec v) {
  float lanes[Vec::kLanes];
  Vec::store(lanes, v);
  float largest = lanes[0];
  for (int i = 1; i < Vec::kLanes; ++i) largest = lanes[i] > largest ? lanes[i] : largest;
  return largest;
}

template <class Vec>
PENULT_INLINE float sum_of_lanes(Vec v) {
  float lanes[Vec::kLanes];
  Vec::store(lanes, v);
  float sum = lanes[0];
  for (int i = 1; i < Vec::kLanes; ++i) sum += lanes[i];
  return sum;
}

template <class Vec>
void softmax_vector(const float* src, int64_t c, float* dst) {
  Vec largest = Vec::set(-__builtin_inff());
  for (int64_t at = 0; at < c; at += Vec::kLanes)
    largest = Vec::max(largest, load_logits<Vec>(src, at, c));
  const Vec shift = Vec::set(largest_lane(largest));
  Vec sum = Vec::set(0.0F);
  for (int64_t at = 0; at < c; at += Vec::kLanes) {
    const Vec power = exp(Vec::sub(load_logits<Vec>(src, at, c), shift));
    Vec::store(dst + at, power);
    sum = Vec::add(sum, power);
  }
  const Vec total = Vec::set(sum_of_lanes(sum));
  for (int64_t at = 0; at < c; at += Vec::kLanes)
    Vec::store(dst + at, Vec::div(Vec::load(dst + at), total));
}

template <class Vec>
void softmax_f32(const SoftmaxParams& params) {
  for (int64_t image = params.image_begin; image < params.image_end; ++image) {
    softmax_vector<Vec>(params.src + image * params.src_image_stride, params.c,
                        params.dst + image * params.dst_image_stride);
  }
}

}  // namespace
}  // namespace penult::kernels
