#include "kernels/simd/vec_avx512.h"
#include "kernels/winograd_conv2d/winograd_conv2d.inl.h"

namespace penult::kernels {

void winograd_f43_f32_avx512(const WinogradParams& params) {
  run_winograd<avx512::Vec, kGemmTilesAvx512, F43>(params);
}

void winograd_f23_f32_avx512(const WinogradParams& params) {
  run_winograd<avx512::Vec, kGemmTilesAvx512, F23>(params);
}

}  // namespace penult::kernels
