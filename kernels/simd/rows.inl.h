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

template <class Float>
PENULT_INLINE Float* behind(Float* p, int64_t bytes) {
  return reinterpret_cast<Float*>(reinterpret_cast<uintptr_t>(p) + static_cast<uintptr_t>(bytes));
}

// Multiples 0 to kCount - 1 of a distance, in bytes, each a form of address that x86 has (register
// times 1, 2, 4 or 8). Compilers that see a distance make a register of each multiple, and where
// they have none left an addition of each load.
template <int kCount>
class Multiples {
 public:
  explicit PENULT_INLINE Multiples(int64_t floats)
      : one_(floats * int64_t{sizeof(float)}), three_(3 * one_), five_(5 * one_), seven_(7 * one_) {
    hide();
  }

  PENULT_INLINE int64_t operator[](int i) const {
    if (i % 2 == 0) return i == 6 ? 2 * three_ : i * one_;
    return i == 1 ? one_ : i == 3 ? three_ : i == 5 ? five_ : seven_;
  }
  // From here on compilers forget what they know of the distance, and what they made of it.
  PENULT_INLINE void hide() {
    static_assert(kCount <= 9, "the next power of two is no form of address");
    asm volatile("" : "+r"(one_));
    if constexpr (kCount > 3) asm volatile("" : "+r"(three_));
    if constexpr (kCount > 5) asm volatile("" : "+r"(five_));
    if constexpr (kCount > 7) asm volatile("" : "+r"(seven_));
  }

 private:
  int64_t one_, three_, five_, seven_;
};

}  // namespace
}  // namespace penult::kernels
