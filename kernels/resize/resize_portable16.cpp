#include "kernels/resize/resize.inl.h"
#include "kernels/simd/vec_portable16.h"

namespace penult::kernels {

void resize_row_u8_portable16(const ResizeRow& params) { resize_row_u8<portable16::Sums>(params); }
void resize_blend_u8_portable16(const ResizeBlend& params) {
  resize_blend_u8<portable16::Sums>(params);
}

}  // namespace penult::kernels
