#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d.inl.h"
#include "kernels/simd/vec_scalar.h"

namespace penult::kernels {

void adaptive_avg_pool2d_f32_scalar(const AdaptiveAvgPool2dParams& params) {
  adaptive_avg_pool2d_f32<scalar::Vec>(params);
}

}  // namespace penult::kernels
