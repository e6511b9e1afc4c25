#include "kernels/concat/concat_cuda.h"
#include "kernels/cuda/flat.cuh"

namespace penult::kernels::cuda {
namespace {

// Where an input's channels are in pixels of dst: [first, first + c), and zeros up to `end`, which
// lies further only behind the last input.
struct Part {
  int first, c, end;
  int dst_pixel;   // elements
  Divider groups;  // of a pixel of src
};

template <class T>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    concat_kernel(uint32_t count, const T* __restrict__ src, Part part, T* __restrict__ dst) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  const Quotient pixel = divide(i, part.groups);
  const int channel = static_cast<int>(pixel.rest) * kGroup;
  float x[kGroup];
  load8(src + static_cast<size_t>(i) * kGroup, x);
  T* to = dst + static_cast<size_t>(pixel.whole) * part.dst_pixel + part.first + channel;
  if (part.first % kGroup == 0 && channel + kGroup <= part.c) {
    store8(to, x);
    return;
  }
  GPU_UNROLL for (int k = 0; k < kGroup; ++k) {
    if (channel + k < part.c) store1(to + k, x[k]);
  }
  if (channel + kGroup < part.c) return;
  for (int k = part.first + part.c; k < part.end; ++k) store1(to - part.first - channel + k, 0.0F);
}

}  // namespace

template <class T>
gpu::Error launch_concat(const GpuArgs& args) {
  const Problem& problem = args.problem;
  int first = 0;
  for (size_t i = 0; i < problem.src.size(); ++i) {
    const TensorDesc& src = problem.src[i];
    const int c = static_cast<int>(src.shape.c),
              dst_pixel = static_cast<int>(problem.dst.pixel_stride);
    const bool is_last = i + 1 == problem.src.size();
    const Part part = {.first = first,
                       .c = c,
                       .end = is_last ? dst_pixel : first + c,
                       .dst_pixel = dst_pixel,
                       .groups = Divider::by(groups_of(src))};
    const int64_t groups = args.n * pixels_of(src) * groups_of(src);
    const gpu::Error error = launch_flat(concat_kernel<T>, groups, args.stream, source<T>(args, i),
                                         part, static_cast<T*>(args.dst));
    if (error != 0) return error;
    first += c;
  }
  return 0;
}

template gpu::Error launch_concat<float>(const GpuArgs&);
template gpu::Error launch_concat<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
