#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d.inl.h"
#include "kernels/simd/vec_avx2.h"

namespace penult::kernels {

void adaptive_avg_pool2d_f32_avx2(const AdaptiveAvgPool2dParams& params) {
  adaptive_avg_pool2d_f32<avx2::Vec>(params);
}

}  // namespace penult::kernels
