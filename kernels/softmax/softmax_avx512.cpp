#include "kernels/simd/vec_avx512.h"
#include "kernels/softmax/softmax.inl.h"

namespace penult::kernels {

void softmax_f32_avx512(const SoftmaxParams& params) { softmax_f32<avx512::Vec>(params); }

}  // namespace penult::kernels
