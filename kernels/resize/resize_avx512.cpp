#include "kernels/resize/resize.inl.h"
#include "kernels/simd/vec_avx512.h"

namespace penult::kernels {

void resize_row_u8_avx512(const ResizeRow& params) { resize_row_u8<avx512::Sums>(params); }
void resize_blend_u8_avx512(const ResizeBlend& params) { resize_blend_u8<avx512::Sums>(params); }

}  // namespace penult::kernels
