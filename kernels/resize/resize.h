#pragma once

// Antialiased resize of 8-bit RGB, bit-equal to Pillow's Image.resize (BILINEAR, BICUBIC).
//
// Source: Pillow's documented algorithm (Resample.c): a separable convolution, horizontal pass
// first, each pass rounded to 8 bits; weights normalised in double and rounded to 22 fractional
// bits.

#include <cstdint>
#include <vector>

namespace penult::kernels {

enum class ResizeFilter { kBilinear, kBicubic };

// src (sh,sw,3) u8 -> dst (dh,dw,3) u8, rows without padding; all sizes >= 1.
void resize_rgb8(const uint8_t* src, int64_t sh, int64_t sw, uint8_t* dst, int64_t dh, int64_t dw,
                 ResizeFilter filter);

}  // namespace penult::kernels
