#pragma once

// dst as a product on tensor cores: rows are pixels of dst, columns its channels. A block of 4
// warps computes a tile of it; src and weights of the next kStages - 1 blocks of K are on their way
// into shared memory while one is multiplied. An image of 3 channels is padded to 8, and so are its
// products: 2.7 times as many as needed, in a layer that is bound by memory.

#include "kernels/conv2d/conv2d_index_cuda.cuh"
#include "kernels/cuda/elements.cuh"

namespace penult::kernels::cuda {
namespace {

template <int kTileRows, int kTileCols, int kTileStages, int kMinBlocks>
struct F16Tile {
  static constexpr int kRows = kTileRows, kCols = kTileCols, kStages = kTileStages;
  static constexpr int kBlocksPerSm = kMinBlocks;  // that registers must suffice for
  static constexpr int kThreads = 128;
  static constexpr int kBlockK = 32, kRowBytes = 2 * kBlockK;
  static constexpr int kStageBytes = (kRows + kCols) * kRowBytes;
  // Each of 2 x 2 warps computes a quarter, in units of 16 rows and 8 columns.
  static constexpr int kWarpRows = kRows / 2, kWarpCols = kCols / 2;
  static constexpr int kUnitRows = kWarpRows / 16, kUnitCols = kWarpCols / 8;
  // Rows of sums, in floats, when they are rearranged for the store: 8 more than there are columns
  // let 4 rows of store64 meet all 32 banks.
  static constexpr int kSumPitch = kCols + 8, kSumBytes = 4 * kRows * kSumPitch;
  static constexpr int kFillBytes = kStages * kStageBytes;
  static constexpr int kSharedBytes = kFillBytes > kSumBytes ? kFillBytes : kSumBytes;
  using Sums = float[kUnitRows][kUnitCols][4];
};

// Where 16 bytes of a row of 64 lie: changing places lets 8 rows of ldmatrix, and a fill, meet all
// 32 banks. The same for rows that are 8 apart.
GPU_FN int swizzled(int row, int chunk) { return row * 64 + ((chunk ^ ((row >> 1) & 3)) << 4); }

template <class Tile, Mutation kMutation>
class F16Loader {
 public:
  GPU_FN void start(const Conv2dParams<gpu::Half>& p, int first_row, int first_col) {
    const int tid = int(threadIdx.x), row = tid / 4, chunk = tid % 4;
    reduction_ = p.kh * p.kw * p.ic;
    cols_left_ = p.oc - (first_col + row);
    weights_offset_ = (first_col + row) * reduction_;
    shared_offset_ = swizzled(row, chunk);
    rows_.find(p, first_row + row, kRowStep);
    tap_.advance(p, 8 * chunk);
  }

  // Copies this thread's part of the next block of K.
  GPU_FN void fill(const Conv2dParams<gpu::Half>& p, unsigned char* stage) {
    const bool in_reduction = tap_.k < reduction_;
    const int tap_offset = offset_of(p, tap_);
    unsigned char* shared = stage + shared_offset_;
    GPU_UNROLL
    for (int i = 0; i < Tile::kRows / kRowStep; ++i, shared += kRowStep * Tile::kRowBytes) {
      const bool valid = in_reduction && rows_.template has<kMutation>(p, i, tap_);
      gpu::copy_async16(shared, p.src + (valid ? rows_.offset[i] + tap_offset : 0), valid);
    }
    GPU_UNROLL
    for (int i = 0; i < Tile::kCols / kRowStep; ++i, shared += kRowStep * Tile::kRowBytes) {
      const bool valid = in_reduction && i * kRowStep < cols_left_;
      const int offset = weights_offset_ + i * kRowStep * reduction_ + tap_.k;
      gpu::copy_async16(shared, p.weights + (valid ? offset : 0), valid);
    }
    tap_.advance(p, Tile::kBlockK);
  }

 private:
  static constexpr int kRowStep = Tile::kThreads / 4;  // rows of 4 chunks at a time
  Conv2dRows<Tile::kRows / kRowStep> rows_;
  Conv2dTap tap_;
  int reduction_, cols_left_, weights_offset_, shared_offset_;
};

// sums += a block of K of src * weights; fragments as in gpu.h.
template <class Tile>
GPU_FN void multiply(const unsigned char* stage, int lane, int warp, typename Tile::Sums& sums) {
  const unsigned char* weights = stage + Tile::kRows * Tile::kRowBytes;
  const int row = warp % 2 * Tile::kWarpRows + lane % 16;
  const int col = warp / 2 * Tile::kWarpCols + lane % 8 + lane / 16 * 8;
  GPU_UNROLL
  for (int step = 0; step < Tile::kBlockK / 16; ++step) {
    uint32_t a[Tile::kUnitRows][4], b[Tile::kUnitCols / 2][4];
    GPU_UNROLL
    for (int i = 0; i < Tile::kUnitRows; ++i)
      gpu::ldmatrix_x4(a[i], stage + swizzled(row + 16 * i, 2 * step + lane / 16));
    GPU_UNROLL
    for (int j = 0; j < Tile::kUnitCols / 2; ++j)
      gpu::ldmatrix_x4(b[j], weights + swizzled(col + 16 * j, 2 * step + lane / 8 % 2));
    GPU_UNROLL
    for (int i = 0; i < Tile::kUnitRows; ++i) {
      GPU_UNROLL
      for (int j = 0; j < Tile::kUnitCols; ++j) {
        const uint32_t pair[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
        gpu::mma_f16_16x8x16(sums[i][j], a[i], pair);
      }
    }
  }
}

// Sums of a warp, as mma leaves them, to rows of shared memory.
template <class Tile>
GPU_FN void stage_sums(float* shared, int lane, int warp, const typename Tile::Sums& sums) {
  const int row = warp % 2 * Tile::kWarpRows + lane / 4;
  const int col = warp / 2 * Tile::kWarpCols + lane % 4 * 2;
  GPU_UNROLL
  for (int i = 0; i < Tile::kUnitRows; ++i) {
    GPU_UNROLL
    for (int j = 0; j < Tile::kUnitCols; ++j) {
      float* upper = shared + (row + 16 * i) * Tile::kSumPitch + col + 8 * j;
      gpu::store64(upper, {{as_bits(sums[i][j][0]), as_bits(sums[i][j][1])}});
      float* lower = upper + 8 * Tile::kSumPitch;
      gpu::store64(lower, {{as_bits(sums[i][j][2]), as_bits(sums[i][j][3])}});
    }
  }
}

// From there into dst, 8 channels at a time.
template <class Tile>
GPU_FN void store_tile(const Conv2dParams<gpu::Half>& p, const float* shared, int first_row,
                       int first_col) {
  constexpr int kEights = Tile::kCols / 8;
  const Output<gpu::Half> out{p.dst, p.residual, p.activation, p.used_oc};
  for (int i = int(threadIdx.x); i < Tile::kRows * kEights; i += Tile::kThreads) {
    const int row = first_row + i / kEights, col = first_col + i % kEights * 8;
    if (row >= p.n * p.oh * p.ow || col >= p.oc) continue;
    float sums[8], bias[8];
    load8(shared + i / kEights * Tile::kSumPitch + i % kEights * 8, sums);
    load8(p.bias + col, bias);
    GPU_UNROLL
    for (int e = 0; e < 8; ++e) sums[e] += bias[e];
    finish8(out, static_cast<size_t>(row * p.oc + col), col, sums);
  }
}

template <class Tile, Mutation kMutation = Mutation::kNone>
GPU_KERNEL GPU_BOUNDS(Tile::kThreads, Tile::kBlocksPerSm)
    conv2d_igemm_f16_kernel(Conv2dParams<gpu::Half> p) {
  GPU_DYN_SHARED(shared);
  const int tid = int(threadIdx.x), lane = tid % 32, warp = tid / 32;
  // Tiles side by side, which read the same rows of src, come one after the other.
  const int tiles_across = (p.oc + Tile::kCols - 1) / Tile::kCols, tile = int(blockIdx.x);
  const int first_row = tile / tiles_across * Tile::kRows;
  const int first_col = tile % tiles_across * Tile::kCols;
  const int blocks = (p.kh * p.kw * p.ic + Tile::kBlockK - 1) / Tile::kBlockK;

  F16Loader<Tile, kMutation> loader;
  loader.start(p, first_row, first_col);
  GPU_UNROLL
  for (int s = 0; s < Tile::kStages - 1; ++s) {
    if (s < blocks) loader.fill(p, shared + s * Tile::kStageBytes);
    gpu::copy_async_commit();  // empty groups too: the wait below counts groups
  }

  typename Tile::Sums sums = {};
  int full = 0, empty = Tile::kStages - 1;  // stages
  for (int block = 0; block < blocks; ++block) {
    const bool has_next = block + Tile::kStages - 1 < blocks;
    if constexpr (kMutation == Mutation::kBarrierBeforeWait) gpu::sync_block();
    gpu::copy_async_wait<Tile::kStages - (kMutation == Mutation::kWaitOffByOne ? 1 : 2)>();
    if constexpr (kMutation == Mutation::kRefillBeforeBarrier)
      if (has_next) loader.fill(p, shared + empty * Tile::kStageBytes);
    // Now everybody's copies are there, and nobody reads the stage of the last turn any more.
    if constexpr (kMutation != Mutation::kNoPipelineBarrier &&
                  kMutation != Mutation::kBarrierBeforeWait)
      gpu::sync_block();
    if constexpr (kMutation != Mutation::kRefillBeforeBarrier)
      if (has_next) loader.fill(p, shared + empty * Tile::kStageBytes);
    gpu::copy_async_commit();
    multiply<Tile>(shared + full * Tile::kStageBytes, lane, warp, sums);
    empty = full;
    full = full + 1 == Tile::kStages ? 0 : full + 1;
  }

  if constexpr (kMutation != Mutation::kNoEpilogueBarrier) gpu::sync_block();
  auto* staged = static_cast<float*>(static_cast<void*>(shared));
  stage_sums<Tile>(staged, lane, warp, sums);
  gpu::sync_block();
  store_tile<Tile>(p, staged, first_row, first_col);
}

// The tiles that there are.
using F16Tile128 = F16Tile<128, 64, 4, 3>;
using F16Tile64 = F16Tile<64, 64, 3, 4>;

template <class Tile>
int f16_tiles(const Conv2dParams<gpu::Half>& p) {
  const int down = (p.n * p.oh * p.ow + Tile::kRows - 1) / Tile::kRows;
  return down * ((p.oc + Tile::kCols - 1) / Tile::kCols);
}

template <class Tile, Mutation kMutation = Mutation::kNone>
gpu::Error launch_f16(const Conv2dParams<gpu::Half>& p, gpu::Stream stream) {
  return gpu::launch(conv2d_igemm_f16_kernel<Tile, kMutation>, gpu::Dim3(f16_tiles<Tile>(p)),
                     gpu::Dim3(Tile::kThreads), Tile::kSharedBytes, stream, p);
}

}  // namespace
}  // namespace penult::kernels::cuda
