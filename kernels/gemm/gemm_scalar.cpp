#include "kernels/gemm/gemm_driver.inl.h"
#include "kernels/simd/vec_scalar.h"

namespace penult::kernels {

// The baseline has 16 registers of four floats: 8 accumulators leave room for the products.
void gemm_f32_scalar(const GemmParams& params) { run_gemm<scalar::Vec, 2, 4>(params); }

}  // namespace penult::kernels
