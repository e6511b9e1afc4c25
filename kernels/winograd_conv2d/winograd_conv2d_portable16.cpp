#include "kernels/simd/vec_portable16.h"
#include "kernels/winograd_conv2d/winograd_conv2d.inl.h"

namespace penult::kernels {

void winograd_f43_f32_portable16(const WinogradParams& params) {
  run_winograd<portable16::Vec, kGemmTilesPortable16, F43>(params);
}

void winograd_f23_f32_portable16(const WinogradParams& params) {
  run_winograd<portable16::Vec, kGemmTilesPortable16, F23>(params);
}

}  // namespace penult::kernels
