#include "kernels/cuda/flat.cuh"
#include "kernels/global_avg_pool/global_avg_pool_cuda.h"

namespace penult::kernels::cuda {
namespace {

// 64 channels in a block: 128 bytes of Half in a row.
constexpr int kLanes = 8;

struct Extent {
  uint32_t pixels, groups, blocks;  // of an image, of a pixel, for an image
  float factor;                     // 1 / pixels
};

// A block adds up 64 channels of an image with kRows threads for each 8 of them.
template <class T, int kRows, int kThreads = kLanes* kRows>
GPU_KERNEL GPU_BOUNDS(kThreads, 2)
    global_avg_pool_kernel(const T* __restrict__ src, Extent e, Output<T> out) {
  // Of eight channels the first four and the last four apart: so the lanes that store or load 16
  // bytes at a time reach all banks.
  GPU_SHARED(float[kRows][2][kLanes * 4], sums);
  const uint32_t image = blockIdx.x / e.blocks, lane = threadIdx.x % kLanes;
  const uint32_t first_row = threadIdx.x / kLanes;
  const uint32_t group = blockIdx.x % e.blocks * kLanes + lane;
  float sum[kGroup] = {}, x[kGroup];
  if (group < e.groups) {
    for (uint32_t pixel = first_row; pixel < e.pixels; pixel += kRows) {
      const size_t index = (static_cast<size_t>(image) * e.pixels + pixel) * e.groups + group;
      load8(src + index * kGroup, x);
      GPU_UNROLL for (int c = 0; c < kGroup; ++c) sum[c] += x[c];
    }
  }
  store4(&sums[first_row][0][lane * 4], sum);
  store4(&sums[first_row][1][lane * 4], sum + 4);
  gpu::sync_block();
  if (first_row != 0 || group >= e.groups) return;
  for (int row = 1; row < kRows; ++row) {
    load4(&sums[row][0][lane * 4], x);
    load4(&sums[row][1][lane * 4], x + 4);
    GPU_UNROLL for (int c = 0; c < kGroup; ++c) sum[c] += x[c];
  }
  GPU_UNROLL for (int c = 0; c < kGroup; ++c) sum[c] *= e.factor;
  const size_t index = static_cast<size_t>(image) * e.groups + group;
  finish8(out, index * kGroup, static_cast<int>(group) * kGroup, sum);
}

template <class T, int kRows>
gpu::Error launch_rows(const GpuArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const auto pixels = static_cast<uint32_t>(pixels_of(src));
  const auto groups = static_cast<uint32_t>(groups_of(src));
  const Extent extent = {pixels, groups, (groups + kLanes - 1) / kLanes,
                         1.0F / static_cast<float>(pixels)};
  const int64_t blocks = args.n * extent.blocks;
  if (blocks > INT32_MAX) return kInvalidValue;
  return gpu::launch(global_avg_pool_kernel<T, kRows>, gpu::Dim3(static_cast<unsigned>(blocks)),
                     gpu::Dim3(kLanes * kRows), 0, args.stream, source<T>(args, 0), extent,
                     output_of<T>(args));
}

}  // namespace

template <class T>
gpu::Error launch_global_avg_pool(const GpuArgs& args) {
  // By the map alone, never by n: an image's sum has one order.
  constexpr int64_t kManyPixels = 256;
  return pixels_of(args.problem.src[0]) < kManyPixels ? launch_rows<T, 16>(args)
                                                      : launch_rows<T, 64>(args);
}

template gpu::Error launch_global_avg_pool<float>(const GpuArgs&);
template gpu::Error launch_global_avg_pool<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
