#include "kernels/gemm/gemm_driver.inl.h"
#include "kernels/simd/vec_avx2.h"

namespace penult::kernels {

void gemm_f32_avx2(const GemmParams& params) { run_gemm<avx2::Vec, kGemmTilesAvx2>(params); }

}  // namespace penult::kernels
