#include "kernels/gemm/gemm_driver.inl.h"
#include "kernels/simd/vec_avx2.h"

namespace penult::kernels {

// 12 accumulators in each shape: 16 registers hold them, the shorter side and one operand.
void gemm_f32_avx2(const GemmParams& params) {
  switch (params.panel_width) {
    case 16:
      return run_gemm<avx2::Vec, 6, 2>(params);
    case 24:
      return run_gemm<avx2::Vec, 4, 3>(params);
    case 32:
      return run_gemm<avx2::Vec, 3, 4>(params);
    default:
      __builtin_unreachable();  // gemm_blocking.h has no other
  }
}

}  // namespace penult::kernels
