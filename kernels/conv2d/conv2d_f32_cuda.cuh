#pragma once

// dst as a product in f32: rows are pixels of dst, columns its channels. A block of 4 warps
// computes a tile of 64 x 64, each thread 8 rows of 4 channels; while a block of K is multiplied,
// the next one is on its way into registers. An image of 3 channels is padded to 8
// (conv2d_f16_cuda.cuh).

#include "kernels/conv2d/conv2d_index_cuda.cuh"
#include "kernels/cuda/elements.cuh"

namespace penult::kernels::cuda {
namespace {

struct F32Tile {
  static constexpr int kRows = 64, kCols = 64, kBlockK = 16;
  static constexpr int kThreads = 128, kBlocksPerSm = 4;
  static constexpr int kThreadRows = 8, kThreadCols = 4;
  using Block = float[kBlockK][kRows];  // K first: a thread reads rows side by side
};

// Where row (or column) `row` of number k of K stands: fills, of 4 numbers of K in 8 rows, meet all
// 32 banks. Rows 8 * i to 8 * i + 7 stay side by side.
GPU_FN int scattered(int k, int row) { return row ^ (k / 4 * 8); }

template <Mutation kMutation>
class F32Loader {
 public:
  GPU_FN void start(const Conv2dParams<float>& p, int first_row, int first_col) {
    const int tid = int(threadIdx.x);
    reduction_ = p.kh * p.kw * p.ic;
    row_ = tid / 4;
    k_ = tid % 4 * 4;
    first_col_ = first_col;
    rows_.find(p, first_row + row_, kRowStep);
    tap_.advance(p, k_);
  }

  // Reads this thread's part of the next block of K.
  GPU_FN void read(const Conv2dParams<float>& p) {
    const bool in_reduction = tap_.k < reduction_;
    const int tap_offset = offset_of(p, tap_);
    GPU_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const bool valid = in_reduction && rows_.template has<kMutation>(p, i, tap_);
      src_valid_[i] = valid;
      src_[i] = valid ? gpu::load128(p.src + rows_.offset[i] + tap_offset) : gpu::Bits128{};
      const int col = first_col_ + row_ + i * kRowStep;
      const bool has_weights =
          (in_reduction || kMutation == Mutation::kNoReductionBound) && col < p.oc;
      weights_[i] =
          has_weights ? gpu::load128(p.weights + col * reduction_ + tap_.k) : gpu::Bits128{};
    }
    tap_.advance(p, F32Tile::kBlockK);
  }

  // What was read, into shared memory.
  GPU_FN void fill(F32Tile::Block& src, F32Tile::Block& weights) const {
    GPU_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const int at = scattered(k_, row_ + i * kRowStep);
      GPU_UNROLL
      for (int j = 0; j < 4; ++j) {
        if (kMutation != Mutation::kTailNotZeroed || src_valid_[i])
          src[k_ + j][at] = as_float(src_[i].v[j]);
        weights[k_ + j][at] = as_float(weights_[i].v[j]);
      }
    }
  }

 private:
  static constexpr int kRowStep = F32Tile::kThreads / 4, kCount = F32Tile::kRows / kRowStep;
  Conv2dRows<kCount> rows_;
  Conv2dTap tap_;
  int reduction_, row_, k_, first_col_;
  gpu::Bits128 src_[kCount], weights_[kCount];
  bool src_valid_[kCount];
};

using F32Sums = float[F32Tile::kThreadRows][F32Tile::kThreadCols];

// sums += a block of K of src * weights, in the order of K.
GPU_FN void multiply(const F32Tile::Block& src, const F32Tile::Block& weights, int row, int col,
                     F32Sums& sums) {
  GPU_UNROLL
  for (int k = 0; k < F32Tile::kBlockK; ++k) {
    float a[2][4], b[4];
    load4(&src[k][scattered(k, row)], a[0]);
    load4(&src[k][scattered(k, row) + 4], a[1]);
    load4(&weights[k][scattered(k, col)], b);
    GPU_UNROLL
    for (int i = 0; i < F32Tile::kThreadRows; ++i) {
      GPU_UNROLL
      for (int j = 0; j < F32Tile::kThreadCols; ++j)
        sums[i][j] = gpu::fma(a[i / 4][i % 4], b[j], sums[i][j]);
    }
  }
}

GPU_FN void store_tile(const Conv2dParams<float>& p, int first_row, int col, F32Sums& sums) {
  if (col >= p.oc) return;
  GPU_UNROLL
  for (int i = 0; i < F32Tile::kThreadRows; ++i) {
    const int row = first_row + i;
    if (row >= p.n * p.oh * p.ow) return;
    float residual[4] = {};
    if (p.residual != nullptr) load4(p.residual + row * p.oc + col, residual);
    GPU_UNROLL
    for (int j = 0; j < F32Tile::kThreadCols; ++j) sums[i][j] += residual[j];
    activate(p.activation, sums[i]);
    store4(p.dst + row * p.oc + col, sums[i]);
  }
}

template <Mutation kMutation = Mutation::kNone>
GPU_KERNEL GPU_BOUNDS(F32Tile::kThreads, F32Tile::kBlocksPerSm)
    conv2d_igemm_f32_kernel(Conv2dParams<float> p) {
  GPU_SHARED(F32Tile::Block, src);
  GPU_SHARED(F32Tile::Block, weights);
  const int tid = int(threadIdx.x);
  // Tiles side by side, which read the same rows of src, come one after the other.
  const int tiles_across = (p.oc + F32Tile::kCols - 1) / F32Tile::kCols, tile = int(blockIdx.x);
  const int first_row = tile / tiles_across * F32Tile::kRows;
  const int first_col = tile % tiles_across * F32Tile::kCols;
  const int row = tid / 16 * F32Tile::kThreadRows, col = tid % 16 * F32Tile::kThreadCols;
  const int blocks = (p.kh * p.kw * p.ic + F32Tile::kBlockK - 1) / F32Tile::kBlockK;

  F32Loader<kMutation> loader;
  loader.start(p, first_row, first_col);
  loader.read(p);

  float bias[F32Tile::kThreadCols] = {};
  if (first_col + col < p.oc) load4(p.bias + first_col + col, bias);
  F32Sums sums;
  GPU_UNROLL
  for (int i = 0; i < F32Tile::kThreadRows; ++i) {
    GPU_UNROLL
    for (int j = 0; j < F32Tile::kThreadCols; ++j) sums[i][j] = bias[j];
  }

  for (int block = 0; block < blocks; ++block) {
    if constexpr (kMutation != Mutation::kNoBarrierBeforeFill) gpu::sync_block();
    loader.fill(src, weights);
    if constexpr (kMutation != Mutation::kNoBarrierAfterFill) gpu::sync_block();
    if (block + 1 < blocks) loader.read(p);
    multiply(src, weights, row, col, sums);
  }
  store_tile(p, first_row + row, first_col + col, sums);
}

template <Mutation kMutation = Mutation::kNone>
gpu::Error launch_f32(const Conv2dParams<float>& p, gpu::Stream stream) {
  const int down = (p.n * p.oh * p.ow + F32Tile::kRows - 1) / F32Tile::kRows;
  const int across = (p.oc + F32Tile::kCols - 1) / F32Tile::kCols;
  return gpu::launch(conv2d_igemm_f32_kernel<kMutation>, gpu::Dim3(down * across),
                     gpu::Dim3(F32Tile::kThreads), 0, stream, p);
}

}  // namespace
}  // namespace penult::kernels::cuda
