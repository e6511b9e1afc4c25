#pragma once

// The passes of a resize over vectors of exact sums (Sums, see kernels/simd/vec.h).

#include <cstdint>

#include "kernels/resize/resize_params.h"
#include "kernels/simd/vec.h"

namespace penult::kernels {
namespace {

// One byte, in plain numbers: the definition of what the passes compute.
PENULT_INLINE uint8_t resize_round(int32_t sum) {
  const int32_t value = sum >> kWeightBits;
  return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// In blocks, whose sums stay in the first-level cache.
PENULT_INLINE void resize_blend_bytes(const ResizeBlend& params) {
  constexpr int64_t kBlock = 64;
  for (int64_t begin = 0; begin < params.bytes; begin += kBlock) {
    const int64_t rest = params.bytes - begin, size = rest < kBlock ? rest : kBlock;
    int32_t sums[kBlock];
    for (int64_t j = 0; j < size; ++j) sums[j] = kRoundHalf;
    for (int64_t i = 0; i < params.count; ++i) {
      const uint8_t* row = params.rows[i] + begin;
      const int32_t weight = params.weights[i];
      for (int64_t j = 0; j < size; ++j) sums[j] += row[j] * weight;
    }
    for (int64_t j = 0; j < size; ++j) params.dst[begin + j] = resize_round(sums[j]);
  }
}

// Sums of the high and the low halves of weights.
template <class Sums, int kVectors>
struct ResizeSums {
  Sums high[kVectors], low[kVectors];

  PENULT_INLINE void clear() {
    PENULT_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      high[v] = Sums::set(0);
      low[v] = Sums::set(kRoundHalf);
    }
  }
  PENULT_INLINE void add(int v, typename Sums::Pairs pixels, typename Sums::Pairs weights_high,
                         typename Sums::Pairs weights_low) {
    high[v] = Sums::add_products(high[v], pixels, weights_high);
    low[v] = Sums::add_products(low[v], pixels, weights_low);
  }
  PENULT_INLINE Sums rounded(int v) const {
    return Sums::template shift_right<kWeightBits>(
        Sums::add(Sums::template shift_left<kLowBits>(high[v]), low[v]));
  }
};

template <class Sums>
PENULT_INLINE void resize_group(const ResizeRow& params, int64_t group) {
  constexpr int kPixels = Sums::kLanes / 4, kVectors = kPixelGroup / kPixels;
  constexpr int64_t kHalf = kPixelGroup * kPackedPixelPair, kPair = 2 * kHalf;
  const int64_t* first = params.first + group * kPixelGroup;
  const int16_t* weights = params.packed + group * params.pairs * kPair;
  const uint8_t* src = params.src;
  ResizeSums<Sums, kVectors> sums;
  sums.clear();
  const auto add = [&](int v, typename Sums::Pairs pixels, const int16_t* pair) {
    const int16_t* mine = pair + v * kPixels * kPackedPixelPair;
    sums.add(v, pixels, Sums::load_pairs(mine), Sums::load_pairs(mine + kHalf));
  };
  int64_t pair = 0;
  for (; pair + 2 <= params.pairs; pair += 2) {
    PENULT_UNROLL
    for (int v = 0; v < kVectors; ++v) {
      const auto pixels = Sums::load_pixels(src, first + v * kPixels);
      add(v, Sums::first_pixels(pixels), weights);
      add(v, Sums::next_pixels(pixels), weights + kPair);
    }
    src += 4 * 3;
    weights += 2 * kPair;
  }
  PENULT_UNROLL
  for (int v = 0; v < kVectors; ++v) {
    if (pair < params.pairs) {
      add(v, Sums::first_pixels(Sums::load_pixels(src, first + v * kPixels)), weights);
    }
    Sums::store_pixels(params.dst + (group * kPixelGroup + v * kPixels) * 3, sums.rounded(v));
  }
}

template <class Sums>
void resize_row_u8(const ResizeRow& params) {
  const int64_t groups = (params.width + kPixelGroup - 1) / kPixelGroup;
  for (int64_t group = 0; group < groups; ++group) resize_group<Sums>(params, group);
}

template <class Sums>
PENULT_INLINE void resize_blend_block(const ResizeBlend& params, int64_t at) {
  ResizeSums<Sums, 4> sums;
  sums.clear();
  for (int64_t pair = 0; pair < params.pairs; ++pair) {
    typename Sums::Pairs bytes[4];
    Sums::load_rows(params.rows[2 * pair] + at, params.rows[2 * pair + 1] + at, bytes);
    const auto high = Sums::broadcast_pair(params.packed + 4 * pair);
    const auto low = Sums::broadcast_pair(params.packed + 4 * pair + 2);
    PENULT_UNROLL
    for (int v = 0; v < 4; ++v) sums.add(v, bytes[v], high, low);
  }
  Sums::store_row(params.dst + at, sums.rounded(0), sums.rounded(1), sums.rounded(2),
                  sums.rounded(3));
}

template <class Sums>
void resize_blend_u8(const ResizeBlend& params) {
  constexpr int64_t kBlock = 4 * Sums::kLanes;
  if (params.bytes < kBlock) return resize_blend_bytes(params);
  int64_t at = 0;
  for (; at + kBlock <= params.bytes; at += kBlock) resize_blend_block<Sums>(params, at);
  if (at < params.bytes) resize_blend_block<Sums>(params, params.bytes - kBlock);  // some again
}

}  // namespace
}  // namespace penult::kernels
