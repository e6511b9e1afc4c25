#include "kernels/pointwise/pointwise.inl.h"
#include "kernels/simd/vec_portable16.h"

namespace penult::kernels {

void activation_f32_portable16(const PointwiseParams& params) {
  activation_f32<portable16::Vec>(params);
}
void add_f32_portable16(const PointwiseParams& params) { add_f32<portable16::Vec>(params); }
void mul_f32_portable16(const PointwiseParams& params) { mul_f32<portable16::Vec>(params); }
void batchnorm_f32_portable16(const PointwiseParams& params) {
  batchnorm_f32<portable16::Vec>(params);
}

}  // namespace penult::kernels
