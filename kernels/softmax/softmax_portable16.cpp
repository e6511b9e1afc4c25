#include "kernels/simd/vec_portable16.h"
#include "kernels/softmax/softmax.inl.h"

namespace penult::kernels {

void softmax_f32_portable16(const SoftmaxParams& params) { softmax_f32<portable16::Vec>(params); }

}  // namespace penult::kernels
