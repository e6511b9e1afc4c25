#include "kernels/global_avg_pool/global_avg_pool.inl.h"
#include "kernels/simd/vec_avx512.h"

namespace penult::kernels {

void global_avg_pool_f32_avx512(const GlobalAvgPoolParams& params) {
  global_avg_pool_f32<avx512::Vec>(params);
}

}  // namespace penult::kernels
