#include "kernels/gemm/gemm_driver.inl.h"
#include "kernels/simd/vec_scalar.h"

namespace penult::kernels {

void gemm_f32_scalar(const GemmParams& params) { run_gemm<scalar::Vec, kGemmTilesScalar>(params); }

}  // namespace penult::kernels
