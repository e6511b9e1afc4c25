#include "kernels/simd/vec_avx2.h"
#include "kernels/softmax/softmax.inl.h"

namespace penult::kernels {

void softmax_f32_avx2(const SoftmaxParams& params) { softmax_f32<avx2::Vec>(params); }

}  // namespace penult::kernels
