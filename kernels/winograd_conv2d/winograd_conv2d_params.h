#pragma once

// Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

#include "engine/base/activation.h"
#include "kernels/gemm/gemm_params.h"
#include "kernels/strides.h"

namespace penult::kernels {

// A tile is m x m pixels of dst; tile = (image * tiles_y + y) * tiles_x + x. For each of its
// (m+2)^2 = `products` transformed numbers there is one matrix product:
//   sums[product][tile][oc] = sum_ic values[product][tile][ic] * weights[product][ic][oc]
struct WinogradParams {
  int64_t oh, ow, tiles_y, tiles_x, ic;
  const float* src;  // where the first tap of dst pixel (0, 0) reads, inside the halo
  Strides src_strides;
  float* dst;
  Strides dst_strides;
  const float* residual;  // null: none
  Strides residual_strides;

  // Rows are tiles, K is ic, and there is an offset for each product: product * value_stride.
  // Weights: from_taps   ? [panel][ky][kx][tap_rows][channels of the panel], as they are
  //        : panel_first ? [panel][product][ic][channels of the panel]
  //                      : [product][panel][ic][channels of the panel]
  GemmPart part;
  int64_t all_panels;  // of all threads
  // Tiles are worked off in blocks of at most so many.
  int64_t block_tiles;
  bool panel_first;                   // the order of the loops, and of the weights
  bool from_taps;                     // F(2,3): weights are to be transformed
  int64_t tap_rows;                   // ic of them, and perhaps some of nothing
  float* values;                      // products * value_stride floats of scratch
  float* sums;                        // products * sum_stride floats of scratch
  float* transformed;                 // from_taps: kTransformedAtOnce products of a panel
  int64_t value_pitch, value_stride;  // floats from one tile, one product to the next
  int64_t sum_pitch, sum_stride;

  Activation activation;
};

// Tiles of a block at most: their addresses stand on the stack.
constexpr int64_t kMaxBlockTiles = 64;

constexpr int64_t kTaps = 9;

// Products of F(2,3) whose weights are in scratch at a time: those of the two inner rows.
constexpr int64_t kTransformedAtOnce = 8;

void winograd_f43_f32_scalar(const WinogradParams& params);
void winograd_f43_f32_portable16(const WinogradParams& params);
void winograd_f43_f32_avx2(const WinogradParams& params);
void winograd_f43_f32_avx512(const WinogradParams& params);

void winograd_f23_f32_scalar(const WinogradParams& params);
void winograd_f23_f32_portable16(const WinogradParams& params);
void winograd_f23_f32_avx2(const WinogradParams& params);
void winograd_f23_f32_avx512(const WinogradParams& params);

}  // namespace penult::kernels
