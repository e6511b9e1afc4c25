#include "kernels/pool2d/pool2d.inl.h"
#include "kernels/simd/vec_scalar.h"

namespace penult::kernels {

void max_pool2d_f32_scalar(const Pool2dParams& params) {
  pool2d_f32<scalar::Vec, Maximum<scalar::Vec>>(params);
}
void avg_pool2d_f32_scalar(const Pool2dParams& params) {
  pool2d_f32<scalar::Vec, Average<scalar::Vec>>(params);
}

}  // namespace penult::kernels
