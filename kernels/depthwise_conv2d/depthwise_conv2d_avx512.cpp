#include "kernels/depthwise_conv2d/depthwise_any.inl.h"
#include "kernels/simd/vec_avx512.h"

namespace penult::kernels {

void depthwise_conv2d_f32_avx512(const DepthwiseParams& params) {
  depthwise_conv2d_f32<avx512::Vec>(params);
}

void depthwise_any_f32_avx512(const DepthwiseParams& params) {
  depthwise_any_f32<avx512::Vec>(params);
}

}  // namespace penult::kernels
