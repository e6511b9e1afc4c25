#include "kernels/simd/vec_avx2.h"
#include "kernels/winograd_conv2d/winograd_conv2d.inl.h"

namespace penult::kernels {

void winograd_f43_f32_avx2(const WinogradParams& params) {
  run_winograd<avx2::Vec, kGemmTilesAvx2, F43>(params);
}

void winograd_f23_f32_avx2(const WinogradParams& params) {
  run_winograd<avx2::Vec, kGemmTilesAvx2, F23>(params);
}

}  // namespace penult::kernels
