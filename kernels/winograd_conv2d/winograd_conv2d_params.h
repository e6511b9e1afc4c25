#pragma once

// Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

#include "engine/base/activation.h"

namespace penult::kernels {

// Strides in floats.
struct WinogradStrides {
  int64_t image, row, pixel;
};

// A tile is m x m pixels of dst; tile = (image * tiles_y + y) * tiles_x + x. For each of its
// (m+2)^2 = `products` transformed numbers there is one matrix product:
//   sums[product][tile][oc] = sum_ic values[product][tile][ic] * weights[product][ic][oc]
struct WinogradParams {
  int64_t oh, ow, tiles_y, tiles_x, ic;
  const float* src;  // where the first tap of dst pixel (0, 0) reads, inside the halo
  WinogradStrides src_strides;
  float* dst;
  WinogradStrides dst_strides;
  const float* residual;  // null: none
  WinogradStrides residual_strides;

  // Panel p computes channels panels[p] to panels[p + 1].
  const int64_t* panels = nullptr;
  int64_t all_panels = 0;            // of all threads
  const float* bias = nullptr;       // [channel]
  const float* weights = nullptr;    // panel_first ? [panel][product][ic][channels of the panel]
                                     //             : [product][panel][ic][channels of the panel]
  const int64_t* offsets = nullptr;  // [product]: product * value_stride

  // The part to compute, in blocks of at most block_tiles tiles.
  int64_t tile_begin = 0, tile_end = 0, panel_begin = 0, panel_end = 0;
  int64_t block_tiles;
  bool panel_first;                   // the order of the loops, and of the weights
  float* values;                      // products * value_stride floats of scratch
  float* sums;                        // products * sum_stride floats of scratch
  int64_t value_pitch, value_stride;  // floats from one tile, one product to the next
  int64_t sum_pitch, sum_stride;

  Activation activation;
};

// Tiles of a block at most: their addresses stand on the stack.
constexpr int64_t kMaxBlockTiles = 64;

void winograd_f43_f32_scalar(const WinogradParams& params);
void winograd_f43_f32_portable16(const WinogradParams& params);
void winograd_f43_f32_avx2(const WinogradParams& params);
void winograd_f43_f32_avx512(const WinogradParams& params);

void winograd_f23_f32_scalar(const WinogradParams& params);
void winograd_f23_f32_portable16(const WinogradParams& params);
void winograd_f23_f32_avx2(const WinogradParams& params);
void winograd_f23_f32_avx512(const WinogradParams& params);

}  // namespace penult::kernels
