#include "kernels/cuda/flat.cuh"
#include "kernels/softmax/softmax_cuda.h"

namespace penult::kernels::cuda {
namespace {

constexpr int kThreads = 256, kWarp = 32, kWarps = kThreads / kWarp;

struct Larger {
  // Passes over a NaN: the sum will not.
  static GPU_FN float of(float a, float b) { return b > a ? b : a; }
};
struct Sum {
  static GPU_FN float of(float a, float b) { return a + b; }
};

// Over all threads of the block, for all of them. `warps` is shared and used once.
template <class Reduction>
GPU_FN float reduce_block(float x, float* warps) {
  GPU_UNROLL for (int mask = kWarp / 2; mask > 0; mask /= 2) {
    x = Reduction::of(x, gpu::shuffle_xor(x, mask));
  }
  if (threadIdx.x % kWarp == 0) warps[threadIdx.x / kWarp] = x;
  gpu::sync_block();
  x = warps[0];
  for (int i = 1; i < kWarps; ++i) x = Reduction::of(x, warps[i]);
  return x;
}

// A block computes an image.
template <class T>
GPU_KERNEL GPU_BOUNDS(kThreads, 4)
    softmax_kernel(const T* __restrict__ src, int groups, Output<T> out) {
  GPU_SHARED(float[kWarps], largest_of_warps);
  GPU_SHARED(float[kWarps], sum_of_warps);
  const size_t start = static_cast<size_t>(blockIdx.x) * groups * kGroup;
  const int first = static_cast<int>(threadIdx.x);
  float x[kGroup];
  float largest = -__builtin_inff(), sum = 0;
  for (int group = first; group < groups; group += kThreads) {
    load8(src + start + group * kGroup, x);
    GPU_UNROLL for (int i = 0; i < kGroup; ++i) {
      if (group * kGroup + i < out.c) largest = Larger::of(largest, x[i]);
    }
  }
  largest = reduce_block<Larger>(largest, largest_of_warps);
  for (int group = first; group < groups; group += kThreads) {
    load8(src + start + group * kGroup, x);
    GPU_UNROLL for (int i = 0; i < kGroup; ++i) {
      if (group * kGroup + i < out.c) sum += gpu::exp(x[i] - largest);
    }
  }
  sum = reduce_block<Sum>(sum, sum_of_warps);
  for (int group = first; group < groups; group += kThreads) {
    load8(src + start + group * kGroup, x);
    GPU_UNROLL for (int i = 0; i < kGroup; ++i) x[i] = gpu::exp(x[i] - largest) / sum;
    finish8(out, start + group * kGroup, group * kGroup, x);
  }
}

}  // namespace

template <class T>
gpu::Error launch_softmax(const GpuArgs& args) {
  return gpu::launch(softmax_kernel<T>, gpu::Dim3(static_cast<unsigned>(args.n)),
                     gpu::Dim3(kThreads), 0, args.stream, source<T>(args, 0),
                     static_cast<int>(groups_of(args.problem.dst)), output_of<T>(args));
}

template gpu::Error launch_softmax<float>(const GpuArgs&);
template gpu::Error launch_softmax<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
