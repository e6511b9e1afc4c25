#include "kernels/pool2d/pool2d.inl.h"
#include "kernels/simd/vec_portable16.h"

namespace penult::kernels {

void max_pool2d_f32_portable16(const Pool2dParams& params) {
  pool2d_f32<portable16::Vec, Maximum<portable16::Vec>>(params);
}
void avg_pool2d_f32_portable16(const Pool2dParams& params) {
  pool2d_f32<portable16::Vec, Average<portable16::Vec>>(params);
}

}  // namespace penult::kernels
