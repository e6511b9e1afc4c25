#pragma once

// A product of gathered rows and packed weights: the core of convolution and linear.
//   dst[m][o] = epilogue(bias[o] + sum_k src[m][offsets[k / length] + k % length] * weights[o][k])
// with m = (image, y, x) and K = segments * length. Rows come by pointer, so strides, halos and
// dilation need no code of their own. Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

#include "kernels/simd/activation_params.h"

namespace penult::kernels {

// Address of row m = base + image * image_stride + y * y_stride + x * x_stride, in floats.
struct GemmRows {
  int64_t image_stride, y_stride, x_stride;
};

struct GemmParams {
  int64_t oh, ow;  // m = (image * oh + y) * ow + x
  const float* src;
  GemmRows src_rows;
  float* dst;
  GemmRows dst_rows;
  const float* residual;  // null: none
  GemmRows residual_rows;

  const int64_t* offsets = nullptr;  // floats from a row's src to each segment
  int64_t segments, length;
  const float* weights = nullptr;  // [panel][K][panel_width], zero beyond oc
  const float* bias = nullptr;     // [panel][panel_width], zero beyond oc
  int64_t panel_width = 0;         // 16, 24 or 32

  // The part to compute. Rows are worked off in chunks, so that a chunk's sources stay in L2 while
  // all panels pass over it.
  int64_t row_begin = 0, row_end = 0, panel_begin = 0, panel_end = 0;
  int64_t chunk_rows;
  void* row_table;  // chunk_rows * kGemmRowTableBytes of scratch

  ActivationParams activation;
};

// Three pointers a row.
constexpr int64_t kGemmRowTableBytes = 3 * 8;

void gemm_f32_scalar(const GemmParams& params);
void gemm_f32_avx2(const GemmParams& params);

}  // namespace penult::kernels
