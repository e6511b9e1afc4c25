#pragma once

// Plain C++ for the baseline: four floats, so that a kernel's vector logic is the same everywhere.

#include <cstdint>

#include "kernels/simd/vec.h"

namespace penult::kernels::scalar {

#define PENULT_VEC_BYTES 16
#include "kernels/simd/vec_portable.inl.h"
#undef PENULT_VEC_BYTES

}  // namespace penult::kernels::scalar
