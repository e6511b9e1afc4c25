#pragma once

// Antialiased resize of 8-bit RGB, bit-equal to Pillow's Image.resize (BILINEAR, BICUBIC), whole or
// the part of it that is wanted.
//
// Source: Pillow's documented algorithm (Resample.c of Pillow 13.0): a separable convolution, each
// pass rounded to 8 bits; weights normalised in double and rounded to 22 fractional bits. The
// horizontal pass comes first, except where the height shrinks by more than twice what the width
// does (in pixels): then the vertical one. Pillow before 13 had no such exception.
// Sums are exact, so that every level computes the same bits.

#include <cstdint>
#include <vector>

#include "engine/base/cpu_features.h"
#include "kernels/resize/resize_taps.h"

namespace penult::kernels {

// From src (sh,sw,3) u8, rows without padding, to the window (h,w) at (y,x) of the resized picture
// (dh,dw). All sizes >= 1; the window lies inside. Only that window is computed, from only those
// pixels of src that it depends on.
struct ResizeJob {
  const uint8_t* src;
  int64_t sh, sw, dh, dw;
  ResizeFilter filter;
  int64_t y, x, h, w;
};

// The memory of one resize at a time, for a thread to keep: it grows to what the largest one needs,
// which is some rows of the window, or one of src, and the weights.
struct ResizeScratch {
  ResizeTaps columns, rows;
  std::vector<uint8_t> lines;         // between the passes
  std::vector<uint8_t> padded;        // a row of src, with room behind
  std::vector<uint8_t> wide;          // a row of dst, with room behind
  std::vector<const uint8_t*> taken;  // rows that are being blended
};

// dst (h,w,3) u8, rows dst_stride bytes apart. `isa` is one that runs here.
void resize_rgb8(Isa isa, const ResizeJob& job, uint8_t* dst, int64_t dst_stride,
                 ResizeScratch& scratch);

}  // namespace penult::kernels
