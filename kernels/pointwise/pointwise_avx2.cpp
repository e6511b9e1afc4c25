#include "kernels/pointwise/pointwise.inl.h"
#include "kernels/simd/vec_avx2.h"

namespace penult::kernels {

void activation_f32_avx2(const PointwiseParams& params) { activation_f32<avx2::Vec>(params); }
void add_f32_avx2(const PointwiseParams& params) { add_f32<avx2::Vec>(params); }
void mul_f32_avx2(const PointwiseParams& params) { mul_f32<avx2::Vec>(params); }
void batchnorm_f32_avx2(const PointwiseParams& params) { batchnorm_f32<avx2::Vec>(params); }

}  // namespace penult::kernels
