#pragma once

// The two passes of a resize. Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

namespace penult::kernels {

// 32 bits hold 8 bits of pixel, 2 of overshoot and this many fractional ones of a weight.
constexpr int kWeightBits = 32 - 8 - 2;
constexpr int32_t kRoundHalf = 1 << (kWeightBits - 1);

// Vectors multiply 16 bits: a weight is (high << kLowBits) + low, and so are the sums of products.
// Either may wrap around; the whole sum fits into 32 bits, so that it is exact.
constexpr int kLowBits = 11;

constexpr int kPixelGroup = 4;       // pixels that the horizontal pass computes at once
constexpr int kPackedPixelPair = 8;  // numbers for two taps of a pixel: the pair once a channel

// One row becomes narrower or wider. A pixel of dst is the sum of its taps: pixels of src from
// `first` on, times weights.
struct ResizeRow {
  const uint8_t* src;
  uint8_t* dst;          // room for whole groups, and 4 bytes more
  int64_t width;         // pixels of dst
  const int64_t* first;  // [pixel of whole groups], in bytes from src
  // Plain weights: [pixel][stride], count[pixel] of them.
  const int32_t* weights;
  const int64_t* count;
  int64_t stride;
  // Packed ones, zeros behind the last tap: [group][pair][high, low][pixel][channel, 4][tap, 2].
  // Vectors read src up to 16 bytes from every second pair's first pixel on.
  const int16_t* packed;
  int64_t pairs;
};

// Several rows become one.
struct ResizeBlend {
  const uint8_t* const* rows;  // [2 * pairs]; with an odd count the last one is any row
  uint8_t* dst;
  int64_t bytes;           // of a row; no more are read or written
  const int32_t* weights;  // [count]
  int64_t count;
  const int16_t* packed;  // [pair][high, low][row, 2], a zero behind an odd count
  int64_t pairs;
};

void resize_row_u8_scalar(const ResizeRow& params);
void resize_row_u8_portable16(const ResizeRow& params);
void resize_row_u8_avx2(const ResizeRow& params);
void resize_row_u8_avx512(const ResizeRow& params);
void resize_blend_u8_scalar(const ResizeBlend& params);
void resize_blend_u8_portable16(const ResizeBlend& params);
void resize_blend_u8_avx2(const ResizeBlend& params);
void resize_blend_u8_avx512(const ResizeBlend& params);

}  // namespace penult::kernels
