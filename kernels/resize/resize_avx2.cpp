#include "kernels/resize/resize.inl.h"
#include "kernels/simd/vec_avx2.h"

namespace penult::kernels {

void resize_row_u8_avx2(const ResizeRow& params) { resize_row_u8<avx2::Sums>(params); }
void resize_blend_u8_avx2(const ResizeBlend& params) { resize_blend_u8<avx2::Sums>(params); }

}  // namespace penult::kernels
