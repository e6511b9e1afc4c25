#include "kernels/gemm/gemm_driver.inl.h"
#include "kernels/simd/vec_portable16.h"

namespace penult::kernels {

void gemm_f32_portable16(const GemmParams& params) {
  run_gemm<portable16::Vec, kGemmTilesPortable16>(params);
}

}  // namespace penult::kernels
