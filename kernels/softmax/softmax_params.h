#pragma once

// Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

namespace penult::kernels {

struct SoftmaxParams {
  int64_t c;
  int64_t image_begin, image_end;
  const float* src;
  int64_t src_image_stride;
  float* dst;
  int64_t dst_image_stride;
};

void softmax_f32_scalar(const SoftmaxParams& params);
void softmax_f32_portable16(const SoftmaxParams& params);
void softmax_f32_avx2(const SoftmaxParams& params);
void softmax_f32_avx512(const SoftmaxParams& params);

}  // namespace penult::kernels
