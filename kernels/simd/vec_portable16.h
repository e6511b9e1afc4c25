#pragma once

// Sixteen floats in plain C++: the code written for AVX-512, tested where there is none
// (PENULT_LANES=portable16).

#include "kernels/simd/vec.h"

namespace penult::kernels::portable16 {

#define PENULT_VEC_BYTES 64
#include "kernels/simd/vec_portable.inl.h"
#undef PENULT_VEC_BYTES

}  // namespace penult::kernels::portable16
