#include "kernels/cuda/flat.cuh"
#include "kernels/slice/slice_cuda.h"

namespace penult::kernels::cuda {
namespace {

// Which channels of src, and how far apart its pixels are, in elements.
struct Channels {
  int begin, src_pixel;
  Divider groups;  // of a pixel of dst
};

template <class T>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    slice_kernel(uint32_t count, const T* __restrict__ src, Channels channels, Output<T> out) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  const Quotient pixel = divide(i, channels.groups);
  const int channel = static_cast<int>(pixel.rest) * kGroup;
  const T* from =
      src + static_cast<size_t>(pixel.whole) * channels.src_pixel + channels.begin + channel;
  float x[kGroup] = {};
  if (channels.begin % kGroup == 0) {
    load8(from, x);
  } else {
    GPU_UNROLL for (int c = 0; c < kGroup; ++c) {
      if (channel + c < out.c) x[c] = load1(from + c);
    }
  }
  finish8(out, static_cast<size_t>(i) * kGroup, channel, x);
}

}  // namespace

template <class T>
gpu::Error launch_slice(const GpuArgs& args) {
  const Problem& problem = args.problem;
  const Channels channels = {.begin = static_cast<int>(problem.attrs.get_int("begin")),
                             .src_pixel = static_cast<int>(problem.src[0].pixel_stride),
                             .groups = Divider::by(groups_of(problem.dst))};
  return launch_flat(slice_kernel<T>, dst_groups(args), args.stream, source<T>(args, 0), channels,
                     output_of<T>(args));
}

template gpu::Error launch_slice<float>(const GpuArgs&);
template gpu::Error launch_slice<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
