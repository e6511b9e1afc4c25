#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d_cuda.h"
#include "kernels/cuda/flat.cuh"

namespace penult::kernels::cuda {
namespace {

struct Maps {
  uint32_t ih, iw;
  Divider groups, columns, rows;  // of a pixel, of a row of dst, of an image of dst
};

// Inputs [begin, end) of output `i`.
struct Window {
  uint32_t begin, end;
};

GPU_FN Window window_of(uint32_t i, uint32_t in, const Divider& out) {
  return {divide(i * in, out).whole, divide((i + 1) * in + out.divisor - 1, out).whole};
}

template <class T>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    adaptive_avg_pool2d_kernel(uint32_t count, const T* __restrict__ src, Maps maps,
                               Output<T> out) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  const Quotient column = divide(i, maps.groups);
  const Quotient row = divide(column.whole, maps.columns);
  const Quotient image = divide(row.whole, maps.rows);
  const Window rows = window_of(image.rest, maps.ih, maps.rows);
  const Window columns = window_of(row.rest, maps.iw, maps.columns);
  float sum[kGroup] = {}, x[kGroup];
  for (uint32_t iy = rows.begin; iy < rows.end; ++iy) {
    for (uint32_t ix = columns.begin; ix < columns.end; ++ix) {
      const size_t pixel = (static_cast<size_t>(image.whole) * maps.ih + iy) * maps.iw + ix;
      load8(src + (pixel * maps.groups.divisor + column.rest) * kGroup, x);
      GPU_UNROLL for (int c = 0; c < kGroup; ++c) sum[c] += x[c];
    }
  }
  const uint32_t pixels = (rows.end - rows.begin) * (columns.end - columns.begin);
  GPU_UNROLL for (int c = 0; c < kGroup; ++c) sum[c] /= static_cast<float>(pixels);
  finish8(out, static_cast<size_t>(i) * kGroup, static_cast<int>(column.rest) * kGroup, sum);
}

// Dividers take numbers below 2^31.
bool fits_dividers(int64_t in, int64_t out) { return in * out + out <= INT32_MAX; }

}  // namespace

template <class T>
gpu::Error launch_adaptive_avg_pool2d(const GpuArgs& args) {
  const TensorDesc& dst = args.problem.dst;
  const Shape &from = args.problem.src[0].shape, &to = dst.shape;
  if (!fits_dividers(from.h, to.h) || !fits_dividers(from.w, to.w)) return kInvalidValue;
  const Maps maps = {.ih = static_cast<uint32_t>(from.h),
                     .iw = static_cast<uint32_t>(from.w),
                     .groups = Divider::by(groups_of(dst)),
                     .columns = Divider::by(to.w),
                     .rows = Divider::by(to.h)};
  return launch_flat(adaptive_avg_pool2d_kernel<T>, dst_groups(args), args.stream,
                     source<T>(args, 0), maps, output_of<T>(args));
}

template gpu::Error launch_adaptive_avg_pool2d<float>(const GpuArgs&);
template gpu::Error launch_adaptive_avg_pool2d<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
