#pragma once

// A product of gathered rows and packed weights: the core of convolution and linear.
//   dst[m][o] = epilogue(bias[o] + sum_k src[m][offsets[k / length] + k % length] * weights[o][k])
// with m = (image, y, x) and K = segments * length. Rows come by pointer, so strides, halos and
// dilation need no code of their own. Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

#include "engine/base/activation.h"
#include "kernels/strides.h"

namespace penult::kernels {

// Register tiles of one ISA: a panel is 1 to 4 vectors wide, rows[v - 1] is the height of the
// tallest tile of v vectors; 0: no such panel.
struct GemmTiles {
  int lanes;
  int rows[4];
};
// Two registers hold products.
constexpr GemmTiles kGemmTilesScalar = {4, {0, 0, 0, 2}};
// 12 accumulators in each shape: 16 registers hold them, the shorter side and one operand.
constexpr GemmTiles kGemmTilesAvx2 = {8, {0, 6, 4, 3}};
// 24 to 28 of 32 registers; one vector alone would be bound by its loads however tall it is.
constexpr GemmTiles kGemmTilesAvx512 = {16, {14, 14, 9, 6}};
constexpr GemmTiles kGemmTilesPortable16 = kGemmTilesAvx512;

// Packed weights, and the part of a product to compute.
struct GemmPart {
  // Panel p computes channels panels[p] to panels[p + 1]; its weights start at panels[p] * K.
  const int64_t* panels = nullptr;
  const float* bias = nullptr;       // [channel], zero beyond oc
  const float* weights = nullptr;    // [panel][K][channels of the panel], zero beyond oc
  const int64_t* offsets = nullptr;  // floats from a row's src to each segment
  int64_t row_begin = 0, row_end = 0, panel_begin = 0, panel_end = 0;
};

struct GemmParams {
  int64_t oh, ow;  // m = (image * oh + y) * ow + x
  // Strides are those of m: a stride of the convolution is in them.
  const float* src;
  Strides src_rows;
  float* dst;
  Strides dst_rows;
  const float* residual;  // null: none
  Strides residual_rows;
  // Null, or a factor for each of the `length` floats of a row (one segment at offset 0): the rows
  // of a chunk are multiplied into `scaled_rows`, each `scaled_stride` floats, before they are
  // used.
  const float* src_scale = nullptr;
  int64_t scale_image_stride = 0, scaled_stride = 0;
  float* scaled_rows = nullptr;

  int64_t segments, length;
  GemmPart part;
  // Rows are worked off in chunks, so that a chunk's sources stay in L2 while all panels pass over
  // it.
  int64_t chunk_rows;
  void* row_table;  // chunk_rows * kGemmRowTableBytes of scratch

  Activation activation;
};

// Three pointers a row.
constexpr int64_t kGemmRowTableBytes = 3 * 8;

void gemm_f32_scalar(const GemmParams& params);
void gemm_f32_portable16(const GemmParams& params);
void gemm_f32_avx2(const GemmParams& params);
void gemm_f32_avx512(const GemmParams& params);

}  // namespace penult::kernels
