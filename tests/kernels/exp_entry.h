#pragma once

// exp of kernels/simd/exp.inl.h at each level, so that a test can measure it alone.

#include <cstdint>

namespace penult::testing {

// dst[i] = exp(src[i]) for `floats` numbers, a multiple of 16.
void exp_scalar(const float* src, float* dst, int64_t floats);
void exp_portable16(const float* src, float* dst, int64_t floats);
void exp_avx2(const float* src, float* dst, int64_t floats);
void exp_avx512(const float* src, float* dst, int64_t floats);

}  // namespace penult::testing
