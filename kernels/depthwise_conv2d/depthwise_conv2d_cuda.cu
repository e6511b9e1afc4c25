#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/cuda/flat.cuh"
#include "kernels/depthwise_conv2d/depthwise_conv2d_cuda.h"

namespace penult::kernels::cuda {
namespace {

constexpr int kThreads = 128;

struct Window {
  int ih, iw, oh, ow, kh, kw, sh, sw, ph, pw, dh, dw;
  int pixel;                      // elements: the same in src and dst
  Divider groups, columns, rows;  // of a pixel, of a row in strips, of an image
};

// What a thread computes: 8 channels of a strip of a row.
struct Strip {
  int channel, x, y;
  uint32_t image;
};

GPU_FN Strip strip_of(uint32_t index, const Window& w, int length) {
  const Quotient column = divide(index, w.groups);
  const Quotient row = divide(column.whole, w.columns);
  const Quotient image = divide(row.whole, w.rows);
  return {static_cast<int>(column.rest) * kGroup, static_cast<int>(row.rest) * length,
          static_cast<int>(image.rest), image.whole};
}

// Elements from the start of a map of h x w pixels to a pixel.
GPU_FN size_t offset(const Window& w, uint32_t image, int height, int width, int y, int x) {
  return ((static_cast<size_t>(image) * height + y) * width + x) * w.pixel;
}

// The kernel's row ky over one row of src. Columns are read once and serve every output of the
// strip; for each output they come in kx order.
template <class T, int kSize, int kStride, int kOutputs>
GPU_FN void add_row(const T* row, const float* weights, const Window& w, int ix,
                    float (&sums)[kOutputs][kGroup]) {
  float taps[kSize][kGroup];
  GPU_UNROLL for (int k = 0; k < kSize; ++k) load8(weights + k * w.pixel, taps[k]);
  constexpr int kColumns = (kOutputs - 1) * kStride + kSize;
  GPU_UNROLL for (int j = 0; j < kColumns; ++j) {
    if (!is_inside(ix + j, w.iw)) continue;
    float x[kGroup];
    load8(row + (ix + j) * w.pixel, x);
    GPU_UNROLL for (int o = 0; o < kOutputs; ++o) {
      const int k = j - o * kStride;
      if (k < 0 || k >= kSize) continue;  // known while compiling
      GPU_UNROLL for (int c = 0; c < kGroup; ++c) {
        sums[o][c] = gpu::fma(x[c], taps[k][c], sums[o][c]);
      }
    }
  }
}

template <int kStride>
constexpr int kStripLength = kStride == 1 ? 4 : 2;

template <class T, int kSize, int kStride>
GPU_KERNEL GPU_BOUNDS(kThreads, 4)
    depthwise_kernel(uint32_t count, const T* __restrict__ src, const float* __restrict__ packed,
                     Window w, Output<T> out) {
  const uint32_t i = flat_index<kThreads>();
  if (i >= count) return;
  constexpr int kOutputs = kStripLength<kStride>;
  const Strip strip = strip_of(i, w, kOutputs);
  float sums[kOutputs][kGroup];
  load8(packed + strip.channel, sums[0]);  // the bias
  GPU_UNROLL for (int o = 1; o < kOutputs; ++o) {
    GPU_UNROLL for (int c = 0; c < kGroup; ++c) sums[o][c] = sums[0][c];
  }
  const float* weights = packed + w.pixel + strip.channel;
  const int ix = strip.x * kStride - w.pw;
  GPU_UNROLL for (int ky = 0; ky < kSize; ++ky) {
    const int iy = strip.y * kStride - w.ph + ky;
    if (!is_inside(iy, w.ih)) continue;
    const T* row = src + offset(w, strip.image, w.ih, w.iw, iy, 0) + strip.channel;
    add_row<T, kSize, kStride>(row, weights + ky * kSize * w.pixel, w, ix, sums);
  }
  const size_t at = offset(w, strip.image, w.oh, w.ow, strip.y, strip.x) + strip.channel;
  GPU_UNROLL for (int o = 0; o < kOutputs; ++o) {
    if (strip.x + o < w.ow) finish8(out, at + o * w.pixel, strip.channel, sums[o]);
  }
}

template <class T>
GPU_KERNEL GPU_BOUNDS(kThreads, 4)
    depthwise_any_kernel(uint32_t count, const T* __restrict__ src,
                         const float* __restrict__ packed, Window w, Output<T> out) {
  const uint32_t i = flat_index<kThreads>();
  if (i >= count) return;
  const Strip strip = strip_of(i, w, 1);
  float sum[kGroup];
  load8(packed + strip.channel, sum);  // the bias
  const float* weights = packed + w.pixel + strip.channel;
  for (int ky = 0; ky < w.kh; ++ky) {
    const int iy = strip.y * w.sh - w.ph + ky * w.dh;
    if (!is_inside(iy, w.ih)) continue;
    for (int kx = 0; kx < w.kw; ++kx) {
      const int ix = strip.x * w.sw - w.pw + kx * w.dw;
      if (!is_inside(ix, w.iw)) continue;
      float x[kGroup], tap[kGroup];
      load8(src + offset(w, strip.image, w.ih, w.iw, iy, ix) + strip.channel, x);
      load8(weights + (ky * w.kw + kx) * w.pixel, tap);
      GPU_UNROLL for (int c = 0; c < kGroup; ++c) sum[c] = gpu::fma(x[c], tap[c], sum[c]);
    }
  }
  const size_t at = offset(w, strip.image, w.oh, w.ow, strip.y, strip.x) + strip.channel;
  finish8(out, at, strip.channel, sum);
}

Window window_of(const GpuArgs& args, int length) {
  const Conv2dGeometry g = conv2d_geometry(args.problem);
  const TensorDesc& dst = args.problem.dst;
  const auto small = [](int64_t x) { return static_cast<int>(x); };
  return {.ih = small(g.ih),
          .iw = small(g.iw),
          .oh = small(g.oh),
          .ow = small(g.ow),
          .kh = small(g.kh),
          .kw = small(g.kw),
          .sh = small(g.sh),
          .sw = small(g.sw),
          .ph = small(g.ph),
          .pw = small(g.pw),
          .dh = small(g.dh),
          .dw = small(g.dw),
          .pixel = small(dst.pixel_stride),
          .groups = Divider::by(groups_of(dst)),
          .columns = Divider::by((g.ow + length - 1) / length),
          .rows = Divider::by(g.oh)};
}

template <class T, class Kernel>
gpu::Error launch_windows(Kernel kernel, const GpuArgs& args, int length) {
  const Window w = window_of(args, length);
  const int64_t rows = args.n * w.oh;
  return launch_flat<kThreads>(kernel, rows * w.columns.divisor * w.groups.divisor, args.stream,
                               source<T>(args, 0), reinterpret_cast<const float*>(args.packed), w,
                               output_of<T>(args));
}

template <class T, int kSize, int kStride>
gpu::Error launch_strips(const GpuArgs& args) {
  return launch_windows<T>(depthwise_kernel<T, kSize, kStride>, args, kStripLength<kStride>);
}

}  // namespace

template <class T>
gpu::Error launch_depthwise(const GpuArgs& args) {
  const Conv2dGeometry g = conv2d_geometry(args.problem);
  if (g.kh == 3) return g.sw == 1 ? launch_strips<T, 3, 1>(args) : launch_strips<T, 3, 2>(args);
  return g.sw == 1 ? launch_strips<T, 5, 1>(args) : launch_strips<T, 5, 2>(args);
}

template <class T>
gpu::Error launch_depthwise_any(const GpuArgs& args) {
  return launch_windows<T>(depthwise_any_kernel<T>, args, 1);
}

template gpu::Error launch_depthwise<float>(const GpuArgs&);
template gpu::Error launch_depthwise<gpu::Half>(const GpuArgs&);
template gpu::Error launch_depthwise_any<float>(const GpuArgs&);
template gpu::Error launch_depthwise_any<gpu::Half>(const GpuArgs&);

}  // namespace penult::kernels::cuda
