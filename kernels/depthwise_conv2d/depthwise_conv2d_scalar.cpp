#include "kernels/depthwise_conv2d/depthwise_any.inl.h"
#include "kernels/simd/vec_scalar.h"

namespace penult::kernels {

void depthwise_conv2d_f32_scalar(const DepthwiseParams& params) {
  depthwise_conv2d_f32<scalar::Vec>(params);
}

void depthwise_any_f32_scalar(const DepthwiseParams& params) {
  depthwise_any_f32<scalar::Vec>(params);
}

}  // namespace penult::kernels
