#include "kernels/simd/vec_scalar.h"
#include "kernels/winograd_conv2d/winograd_conv2d.inl.h"

namespace penult::kernels {

void winograd_f43_f32_scalar(const WinogradParams& params) {
  run_winograd<scalar::Vec, kGemmTilesScalar, F43>(params);
}

void winograd_f23_f32_scalar(const WinogradParams& params) {
  run_winograd<scalar::Vec, kGemmTilesScalar, F23>(params);
}

}  // namespace penult::kernels
