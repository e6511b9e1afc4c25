#pragma once

// The first layer: three channels, of pixels that are padded to eight, which the implicit products
// would multiply all. A thread computes 8 channels of kStrip pixels side by side in exact f32; a
// block reads its weights once, into shared memory.

#include "kernels/conv2d/conv2d_cuda.h"
#include "kernels/conv2d/conv2d_mutation_cuda.h"
#include "kernels/cuda/elements.cuh"

namespace penult::kernels::cuda {
namespace {

constexpr int kStemThreads = 256;
constexpr int kStemMaxGroups = 8;  // of 8 channels, for a block
constexpr int kStrip = 4;

// How the threads of a block are spread: groups of channels first, so that they write side by side.
struct StemGrid {
  int groups, strips, blocks_across;  // of a block; blocks for all channels
  int strips_across;                  // of a row of dst

  template <class T>
  static StemGrid of(const Conv2dParams<T>& p) {
    const int all = p.oc / kGroup;
    const int across = (all + kStemMaxGroups - 1) / kStemMaxGroups;
    const int groups = (all + across - 1) / across;
    return {groups, kStemThreads / groups, across, (p.ow + kStrip - 1) / kStrip};
  }
};

// The weights of a block's channels as [kh][kw][3][2][groups][4]: of eight channels the first four
// and the last four apart, so that the groups' loads reach all banks.
template <class T>
GPU_FN void fill_stem_weights(const Conv2dParams<T>& p, int first_oc, int groups, float* shared) {
  const int taps = p.kh * p.kw, width = groups * kGroup;
  for (int i = static_cast<int>(threadIdx.x); i < taps * width; i += kStemThreads) {
    const int tap = i / width, o = i - tap * width;
    float w[4] = {};
    if (first_oc + o < p.oc) load4(p.weights + ((first_oc + o) * taps + tap) * p.ic, w);
    const int group = o / kGroup, e = o - group * kGroup;
    const int at = (e / 4 * groups + group) * 4 + e % 4;
    GPU_UNROLL for (int c = 0; c < kStemIc; ++c) shared[(tap * kStemIc + c) * width + at] = w[c];
  }
}

template <Mutation kMutation, class T>
GPU_FN void convolve_strip(const Conv2dParams<T>& p, int image, int oy, int ox, int group,
                           int groups, const float* weights, float (&sums)[kStrip][kGroup]) {
  for (int ky = 0; ky < p.kh; ++ky) {
    const int iy = oy * p.sh - p.ph + ky;
    for (int kx = 0; kx < p.kw; ++kx) {
      float x[kStrip][4] = {};
      GPU_UNROLL for (int i = 0; i < kStrip; ++i) {
        const int ix = (ox + i) * p.sw - p.pw + kx;
        const bool has_row = kMutation == Mutation::kNoRowBound || is_inside(iy, p.ih);
        if (has_row && is_inside(ix, p.iw))
          load4(p.src + ((image * p.ih + iy) * p.iw + ix) * p.ic, x[i]);
      }
      GPU_UNROLL for (int c = 0; c < kStemIc; ++c) {
        const float* const at = weights + ((ky * p.kw + kx) * kStemIc + c) * groups * kGroup;
        float w[kGroup];
        load4(at + group * 4, w);
        load4(at + (groups + group) * 4, w + 4);
        GPU_UNROLL for (int i = 0; i < kStrip; ++i) {
          GPU_UNROLL for (int e = 0; e < kGroup; ++e) sums[i][e] =
              gpu::fma(x[i][c], w[e], sums[i][e]);
        }
      }
    }
  }
}

template <class T, Mutation kMutation = Mutation::kNone>
GPU_KERNEL GPU_BOUNDS(kStemThreads, 2) conv2d_stem_kernel(Conv2dParams<T> p, StemGrid grid) {
  GPU_DYN_SHARED(memory);
  auto* const weights = static_cast<float*>(static_cast<void*>(memory));
  const int tid = static_cast<int>(threadIdx.x), block = static_cast<int>(blockIdx.x);
  const int first_oc = block % grid.blocks_across * grid.groups * kGroup;
  fill_stem_weights(p, first_oc, grid.groups, weights);
  if constexpr (kMutation != Mutation::kNoBarrierAfterFill) gpu::sync_block();

  const int in_block = tid / grid.groups, group = tid - in_block * grid.groups;
  const int strip = block / grid.blocks_across * grid.strips + in_block;
  const int row = strip / grid.strips_across, ox = (strip - row * grid.strips_across) * kStrip;
  const int oc = first_oc + group * kGroup;
  if (in_block >= grid.strips || row >= p.n * p.oh || oc >= p.oc) return;
  const int image = row / p.oh;
  float sums[kStrip][kGroup];
  GPU_UNROLL for (int i = 0; i < kStrip; ++i) load8(p.bias + oc, sums[i]);
  convolve_strip<kMutation>(p, image, row - image * p.oh, ox, group, grid.groups, weights, sums);
  const Output<T> out = {p.dst, p.residual, p.activation, p.used_oc};
  GPU_UNROLL for (int i = 0; i < kStrip; ++i) {
    if (ox + i < p.ow)
      finish8(out, static_cast<size_t>((row * p.ow + ox + i) * p.oc + oc), oc, sums[i]);
  }
}

template <class T, Mutation kMutation = Mutation::kNone>
gpu::Error launch_stem(const Conv2dParams<T>& p, gpu::Stream stream) {
  const StemGrid grid = StemGrid::of(p);
  const int strips = p.n * p.oh * grid.strips_across;
  const int down = (strips + grid.strips - 1) / grid.strips;
  const size_t shared =
      static_cast<size_t>(p.kh * p.kw * kStemIc * grid.groups * kGroup) * sizeof(float);
  return gpu::launch(conv2d_stem_kernel<T, kMutation>, gpu::Dim3(down * grid.blocks_across),
                     gpu::Dim3(kStemThreads), shared, stream, p, grid);
}

}  // namespace
}  // namespace penult::kernels::cuda
