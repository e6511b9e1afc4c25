#include "kernels/pointwise/pointwise.inl.h"
#include "kernels/simd/vec_scalar.h"

namespace penult::kernels {

void activation_f32_scalar(const PointwiseParams& params) { activation_f32<scalar::Vec>(params); }
void add_f32_scalar(const PointwiseParams& params) { add_f32<scalar::Vec>(params); }
void mul_f32_scalar(const PointwiseParams& params) { mul_f32<scalar::Vec>(params); }
void batchnorm_f32_scalar(const PointwiseParams& params) { batchnorm_f32<scalar::Vec>(params); }

}  // namespace penult::kernels
