#include "kernels/cuda/flat.cuh"
#include "kernels/linear/linear_cuda.h"

namespace penult::kernels::cuda {
namespace {

constexpr int kWarp = 32;
constexpr int kWarps = kGpuPad;  // a block's outputs: they divide padded(oc)
constexpr int kThreads = kWarp * kWarps;
constexpr int kImages = 4;  // that share a pass over the weights

// A warp computes one output for kImages images.
template <class T>
GPU_KERNEL GPU_BOUNDS(kThreads, 3)
    linear_kernel(const T* __restrict__ src, const T* __restrict__ weights,
                  const float* __restrict__ bias, int n, int ic, int oc, Output<T> out) {
  const int lane = static_cast<int>(threadIdx.x % kWarp);
  const int o = static_cast<int>(blockIdx.x * kWarps + threadIdx.x / kWarp);
  const int first = static_cast<int>(blockIdx.y) * kImages;
  float sums[kImages] = {};
  for (int c = lane * kGroup; c < ic; c += kWarp * kGroup) {
    float w[kGroup], x[kGroup];
    load8(weights + static_cast<size_t>(o) * ic + c, w);
    GPU_UNROLL for (int k = 0; k < kImages; ++k) {
      if (first + k >= n) continue;
      load8(src + static_cast<size_t>(first + k) * ic + c, x);
      GPU_UNROLL for (int i = 0; i < kGroup; ++i) sums[k] = gpu::fma(x[i], w[i], sums[k]);
    }
  }
  GPU_UNROLL for (int k = 0; k < kImages; ++k) {
    GPU_UNROLL for (int mask = kWarp / 2; mask > 0; mask /= 2) {
      sums[k] += gpu::shuffle_xor(sums[k], mask);
    }
  }
  float y = 0;  // lane k has image k
  GPU_UNROLL for (int k = 0; k < kImages; ++k) y = lane == k ? sums[k] : y;
  if (lane >= kImages || first + lane >= n) return;
  const size_t at = static_cast<size_t>(first + lane) * oc + o;
  y += bias[o];
  if (out.residual != nullptr) y += load1(out.residual + at);
  y = activate(out.activation, y);
  store1(out.dst + at, o < out.c ? y : 0.0F);
}

}  // namespace

template <class T>
gpu::Error launch_linear(const GpuArgs& args) {
  const int64_t ic = args.problem.src[0].pixel_stride, oc = args.problem.dst.pixel_stride;
  const OhwiWeights packed = linear_weights(args.problem, kPrecisionOf<T>);
  const gpu::Dim3 grid(static_cast<unsigned>(oc / kWarps),
                       static_cast<unsigned>((args.n + kImages - 1) / kImages));
  return gpu::launch(linear_kernel<T>, grid, gpu::Dim3(kThreads), 0, args.stream,
                     source<T>(args, 0), reinterpret_cast<const T*>(args.packed),
                     reinterpret_cast<const float*>(args.packed + packed.bias_offset()),
                     static_cast<int>(args.n), static_cast<int>(ic), static_cast<int>(oc),
                     output_of<T>(args));
}

template gpu::Error launch_linear<float>(const GpuArgs&);
template gpu::Error launch_linear<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
