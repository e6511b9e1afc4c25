#pragma once

#include <cstdint>

#include "kernels/simd/vec.h"
#include "kernels/strides.h"

namespace penult::kernels {
namespace {

// From the address of pixel (0,0) of image 0 to the first pixel of a row, in floats. Rows of the
// halo count from -1 upwards.
PENULT_INLINE int64_t row_start(const Strides& strides, int64_t image, int64_t row) {
  if (strides.ring_rows > 0) {
    row %= strides.ring_rows;
    if (row < 0) row += strides.ring_rows;
  }
  return image * strides.image + row * strides.row;
}

}  // namespace
}  // namespace penult::kernels
