#pragma once

// Antialiased resize of 8-bit RGB, bit-equal to Pillow's Image.resize (BILINEAR, BICUBIC).
//
// Source: Pillow's documented algorithm (Resample.c of Pillow 13.0): a separable convolution, each
// pass rounded to 8 bits; weights normalised in double and rounded to 22 fractional bits. The
// horizontal pass comes first, except where the height shrinks by more than twice what the width
// does (in pixels): then the vertical one. Pillow before 13 had no such exception.
// The picture between the passes is never larger than the larger of src and dst.

#include <cstdint>

namespace penult::kernels {

enum class ResizeFilter { kBilinear, kBicubic };

// src (sh,sw,3) u8 -> dst (dh,dw,3) u8, rows without padding; all sizes >= 1.
void resize_rgb8(const uint8_t* src, int64_t sh, int64_t sw, uint8_t* dst, int64_t dh, int64_t dw,
                 ResizeFilter filter);

}  // namespace penult::kernels
