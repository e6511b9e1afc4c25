#include "kernels/global_avg_pool/global_avg_pool.inl.h"
#include "kernels/simd/vec_scalar.h"

namespace penult::kernels {

void global_avg_pool_f32_scalar(const GlobalAvgPoolParams& params) {
  global_avg_pool_f32<scalar::Vec>(params);
}

}  // namespace penult::kernels
