#pragma once

#include <cstdint>
#include <span>

namespace penult {

// IEEE 754 binary16 from binary32, rounded to the nearest, ties to even: the bits of NumPy's
// astype(float16). 65520 and above become infinity, NaNs stay NaNs, denormals are kept.
uint16_t half_from_float(float value);
// Exact.
float float_from_half(uint16_t bits);

// dst[i] = half_from_float(src[i]). Returns how many finite values became infinity.
uint64_t halves_from_floats(std::span<const float> src, uint16_t* dst);

}  // namespace penult
