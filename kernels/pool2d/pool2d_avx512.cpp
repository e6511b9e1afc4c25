#include "kernels/pool2d/pool2d.inl.h"
#include "kernels/simd/vec_avx512.h"

namespace penult::kernels {

void max_pool2d_f32_avx512(const Pool2dParams& params) {
  pool2d_f32<avx512::Vec, Maximum<avx512::Vec>>(params);
}
void avg_pool2d_f32_avx512(const Pool2dParams& params) {
  pool2d_f32<avx512::Vec, Average<avx512::Vec>>(params);
}

}  // namespace penult::kernels
