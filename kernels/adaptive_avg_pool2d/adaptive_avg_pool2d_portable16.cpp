#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d.inl.h"
#include "kernels/simd/vec_portable16.h"

namespace penult::kernels {

void adaptive_avg_pool2d_f32_portable16(const AdaptiveAvgPool2dParams& params) {
  adaptive_avg_pool2d_f32<portable16::Vec>(params);
}

}  // namespace penult::kernels
