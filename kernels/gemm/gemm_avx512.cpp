#include "kernels/gemm/gemm_driver.inl.h"
#include "kernels/simd/vec_avx512.h"

namespace penult::kernels {

void gemm_f32_avx512(const GemmParams& params) { run_gemm<avx512::Vec, kGemmTilesAvx512>(params); }

}  // namespace penult::kernels
