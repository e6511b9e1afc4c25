#include "kernels/pool2d/pool2d.inl.h"
#include "kernels/simd/vec_avx2.h"

namespace penult::kernels {

void max_pool2d_f32_avx2(const Pool2dParams& params) {
  pool2d_f32<avx2::Vec, Maximum<avx2::Vec>>(params);
}
void avg_pool2d_f32_avx2(const Pool2dParams& params) {
  pool2d_f32<avx2::Vec, Average<avx2::Vec>>(params);
}

}  // namespace penult::kernels
