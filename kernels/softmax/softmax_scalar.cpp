#include "kernels/simd/vec_scalar.h"
#include "kernels/softmax/softmax.inl.h"

namespace penult::kernels {

void softmax_f32_scalar(const SoftmaxParams& params) { softmax_f32<scalar::Vec>(params); }

}  // namespace penult::kernels
