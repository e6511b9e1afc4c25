// The oracle: plain loops, double accumulator, bounds checks instead of a halo.

#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// Sum over one group's channels of one kernel position; `src`, `scale` (null: none) and `weights`
// at channel 0.
double dot_channels(const float* src, const float* scale, const float* weights, int64_t channels,
                    int64_t step) {
  double sum = 0;
  for (int64_t c = 0; c < channels; ++c) {
    const double x = scale ? static_cast<double>(src[c]) * scale[c] : src[c];
    sum += x * weights[c * step];
  }
  return sum;
}

double convolve(const RunArgs& args, const Conv2dGeometry& g, int64_t image, int64_t y, int64_t x,
                int64_t oc) {
  const float* weights = raw_weight(args.problem, args.packed, 0) + oc * g.reduction();
  const int64_t first_channel = oc / (g.oc / g.groups) * g.ic_per_group();
  const float* scale = conv2d_scale(args, image);  // of one group only
  double sum = 0;
  for (int64_t ky = 0; ky < g.kh; ++ky) {
    const int64_t iy = y * g.sh - g.ph + ky * g.dh;
    if (iy < 0 || iy >= g.ih) continue;
    for (int64_t kx = 0; kx < g.kw; ++kx) {
      const int64_t ix = x * g.sw - g.pw + kx * g.dw;
      if (ix < 0 || ix >= g.iw) continue;
      const float* src = args.src[0] + pixel_offset(args.problem.src[0], image, iy, ix);
      sum += dot_channels(src + first_channel, scale, weights + ky * g.kw + kx, g.ic_per_group(),
                          g.kh * g.kw);
    }
  }
  return sum;
}

}  // namespace

void conv2d_loops_f32_reference(const RunArgs& args) {
  const Conv2dGeometry g = conv2d_geometry(args.problem);
  const float* bias = raw_weight(args.problem, args.packed, 1);
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    for (int64_t oc = 0; oc < g.oc; ++oc) {
      const double sum = convolve(args, g, image, y, x, oc);
      store_reference(args, image, y, x, oc, bias ? sum + bias[oc] : sum);
    }
  });
}

}  // namespace penult::kernels
