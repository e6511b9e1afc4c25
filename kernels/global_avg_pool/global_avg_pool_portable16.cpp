#include "kernels/global_avg_pool/global_avg_pool.inl.h"
#include "kernels/simd/vec_portable16.h"

namespace penult::kernels {

void global_avg_pool_f32_portable16(const GlobalAvgPoolParams& params) {
  global_avg_pool_f32<portable16::Vec>(params);
}

}  // namespace penult::kernels
