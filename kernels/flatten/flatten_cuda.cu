#include "kernels/cuda/flat.cuh"
#include "kernels/flatten/flatten_cuda.h"

namespace penult::kernels::cuda {
namespace {

template <class T>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    flatten_kernel(uint32_t count, const T* __restrict__ src, int src_pixel, Divider pixels,
                   Divider groups, Output<T> out) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  const Quotient image = divide(i, groups);
  const int first = static_cast<int>(image.rest) * kGroup;
  const T* map = src + static_cast<size_t>(image.whole) * pixels.divisor * src_pixel;
  float x[kGroup];
  // Behind the last: padding of src, which has at least as much of it as dst.
  GPU_UNROLL for (int k = 0; k < kGroup; ++k) {
    const Quotient channel = divide(static_cast<uint32_t>(first + k), pixels);
    x[k] = load1(map + static_cast<size_t>(channel.rest) * src_pixel + channel.whole);
  }
  finish8(out, static_cast<size_t>(i) * kGroup, first, x);
}

}  // namespace

template <class T>
gpu::Error launch_flatten(const GpuArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const int64_t groups = groups_of(args.problem.dst);
  return launch_flat(flatten_kernel<T>, args.n * groups, args.stream, source<T>(args, 0),
                     static_cast<int>(src.pixel_stride), Divider::by(pixels_of(src)),
                     Divider::by(groups), output_of<T>(args));
}

template gpu::Error launch_flatten<float>(const GpuArgs&);
template gpu::Error launch_flatten<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
