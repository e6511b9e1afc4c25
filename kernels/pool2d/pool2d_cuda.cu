#include "kernels/cuda/flat.cuh"
#include "kernels/pool2d/pool2d.h"
#include "kernels/pool2d/pool2d_cuda.h"

namespace penult::kernels::cuda {
namespace {

struct Windows {
  int ih, iw, kh, kw, sh, sw, dh, dw, ph, pw;
  int padded_ih, padded_iw;
  bool count_include_pad;
  int pixel;                      // elements
  Divider groups, columns, rows;  // of a pixel, of a row of dst, of an image
};

// The first and, beyond the last, the next position of a window inside a row or column of `size`.
struct Span {
  int begin, end;
};

GPU_FN Span clip(int first, int kernel, int dilation, int size) {
  const int before = first < 0 ? (-first + dilation - 1) / dilation : 0;
  const int fitting = (size - first + dilation - 1) / dilation;
  return {before, fitting < kernel ? fitting : kernel};
}

struct Max {
  static constexpr float kStart = -__builtin_inff();
  // Keeps a NaN: nothing is greater.
  static GPU_FN float add(float largest, float x) { return x > largest || x != x ? x : largest; }
};

struct Average {
  static constexpr float kStart = 0;
  static GPU_FN float add(float sum, float x) { return sum + x; }
};

// What of a window lies within src and its pads, as torch counts.
GPU_FN int padded_positions(const Windows& w, int top, int left) {
  const int bottom = top + w.kh < w.padded_ih ? top + w.kh : w.padded_ih;
  const int right = left + w.kw < w.padded_iw ? left + w.kw : w.padded_iw;
  return (bottom - top) * (right - left);
}

// kSize: of the window, where the compiler shall know it; 0 of any.
template <class T, class Reduction, int kSize>
GPU_KERNEL GPU_BOUNDS(kFlatThreads, 4)
    pool_kernel(uint32_t count, const T* __restrict__ src, Windows w, Output<T> out) {
  const uint32_t i = flat_index<kFlatThreads>();
  if (i >= count) return;
  const Quotient column = divide(i, w.groups);
  const Quotient row = divide(column.whole, w.columns);
  const Quotient image = divide(row.whole, w.rows);
  const int channel = static_cast<int>(column.rest) * kGroup;
  const int top = static_cast<int>(image.rest) * w.sh - w.ph;
  const int left = static_cast<int>(row.rest) * w.sw - w.pw;
  const T* map = src + static_cast<size_t>(image.whole) * w.ih * w.iw * w.pixel + channel;

  float x[kGroup];
  GPU_UNROLL for (int c = 0; c < kGroup; ++c) x[c] = Reduction::kStart;
  const Span rows = clip(top, w.kh, w.dh, w.ih), columns = clip(left, w.kw, w.dw, w.iw);
  const auto add = [&](int ky, int kx) {
    float value[kGroup];
    const int position = (top + ky * w.dh) * w.iw + left + kx * w.dw;
    load8(map + static_cast<size_t>(position) * w.pixel, value);
    GPU_UNROLL for (int c = 0; c < kGroup; ++c) x[c] = Reduction::add(x[c], value[c]);
  };
  if constexpr (kSize > 0) {  // unrolled: all loads under way at once
    GPU_UNROLL for (int ky = 0; ky < kSize; ++ky) {
      GPU_UNROLL for (int kx = 0; kx < kSize; ++kx) {
        if (ky < rows.begin || ky >= rows.end || kx < columns.begin || kx >= columns.end) continue;
        add(ky, kx);
      }
    }
  } else {
    for (int ky = rows.begin; ky < rows.end; ++ky)
      for (int kx = columns.begin; kx < columns.end; ++kx) add(ky, kx);
  }

  if constexpr (Reduction::kStart == 0) {
    const bool is_empty = rows.begin >= rows.end || columns.begin >= columns.end;
    const int inside = (rows.end - rows.begin) * (columns.end - columns.begin);
    const int divisor = w.count_include_pad ? padded_positions(w, top, left) : inside;
    GPU_UNROLL for (int c = 0; c < kGroup; ++c) {
      x[c] = is_empty ? 0.0F : x[c] / static_cast<float>(divisor);
    }
  }
  finish8(out, static_cast<size_t>(i) * kGroup, channel, x);
}

Windows windows_of(const GpuArgs& args) {
  const Pool2dGeometry g = pool2d_geometry(args.problem);
  const TensorDesc &src = args.problem.src[0], &dst = args.problem.dst;
  const auto small = [](int64_t x) { return static_cast<int>(x); };
  return {.ih = small(src.shape.h),
          .iw = small(src.shape.w),
          .kh = small(g.kh),
          .kw = small(g.kw),
          .sh = small(g.sh),
          .sw = small(g.sw),
          .dh = small(g.dh),
          .dw = small(g.dw),
          .ph = small(g.ph),
          .pw = small(g.pw),
          .padded_ih = small(g.padded_ih),
          .padded_iw = small(g.padded_iw),
          .count_include_pad = g.count_include_pad,
          .pixel = small(dst.pixel_stride),
          .groups = Divider::by(groups_of(dst)),
          .columns = Divider::by(dst.shape.w),
          .rows = Divider::by(dst.shape.h)};
}

template <class T, class Reduction>
gpu::Error launch_pool(const GpuArgs& args) {
  const Windows w = windows_of(args);
  const auto kernel =
      w.kh == 3 && w.kw == 3 ? pool_kernel<T, Reduction, 3> : pool_kernel<T, Reduction, 0>;
  return launch_flat(kernel, dst_groups(args), args.stream, source<T>(args, 0), w,
                     output_of<T>(args));
}

}  // namespace

template <class T>
gpu::Error launch_max_pool2d(const GpuArgs& args) {
  return launch_pool<T, Max>(args);
}

template <class T>
gpu::Error launch_avg_pool2d(const GpuArgs& args) {
  return launch_pool<T, Average>(args);
}

template gpu::Error launch_max_pool2d<float>(const GpuArgs&);
template gpu::Error launch_max_pool2d<gpu::Half>(const GpuArgs&);
template gpu::Error launch_avg_pool2d<float>(const GpuArgs&);
template gpu::Error launch_avg_pool2d<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
