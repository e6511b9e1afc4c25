#include "kernels/cuda/flat.cuh"
#include "kernels/pad/pad_cuda.h"

namespace penult::kernels::cuda {
namespace {

struct Frame {
  int ih, iw, top, left;
  Divider groups, columns, rows;  // of a pixel, of a row of dst, of an image
};

template <class T>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    pad_kernel(uint32_t count, const T* __restrict__ src, Frame f, Output<T> out) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  const Quotient column = divide(i, f.groups);
  const Quotient row = divide(column.whole, f.columns);
  const Quotient image = divide(row.whole, f.rows);
  const int iy = static_cast<int>(image.rest) - f.top, ix = static_cast<int>(row.rest) - f.left;
  float x[kGroup] = {};
  if (is_inside(iy, f.ih) && is_inside(ix, f.iw)) {
    const size_t pixel = (static_cast<size_t>(image.whole) * f.ih + iy) * f.iw + ix;
    load8(src + (pixel * f.groups.divisor + column.rest) * kGroup, x);
  }
  finish8(out, static_cast<size_t>(i) * kGroup, static_cast<int>(column.rest) * kGroup, x);
}

}  // namespace

template <class T>
gpu::Error launch_pad(const GpuArgs& args) {
  const TensorDesc &src = args.problem.src[0], &dst = args.problem.dst;
  const Frame frame = {.ih = static_cast<int>(src.shape.h),
                       .iw = static_cast<int>(src.shape.w),
                       .top = static_cast<int>(args.problem.attrs.get_int("pads", 0)),
                       .left = static_cast<int>(args.problem.attrs.get_int("pads", 1)),
                       .groups = Divider::by(groups_of(dst)),
                       .columns = Divider::by(dst.shape.w),
                       .rows = Divider::by(dst.shape.h)};
  return launch_flat(pad_kernel<T>, dst_groups(args), args.stream, source<T>(args, 0), frame,
                     output_of<T>(args));
}

template gpu::Error launch_pad<float>(const GpuArgs&);
template gpu::Error launch_pad<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
