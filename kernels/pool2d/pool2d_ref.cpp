#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/pool2d/pool2d.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// Calls body(value) for each position of the window of dst pixel (y, x) inside src.
template <class Body>
void for_each_in_window(const RunArgs& args, const Pool2dGeometry& g, int64_t image, int64_t y,
                        int64_t x, int64_t c, const Body& body) {
  const TensorDesc& src = args.problem.src[0];
  for (int64_t ky = 0; ky < g.kh; ++ky) {
    const int64_t iy = y * g.sh - g.ph + ky * g.dh;
    if (iy < 0 || iy >= src.shape.h) continue;
    for (int64_t kx = 0; kx < g.kw; ++kx) {
      const int64_t ix = x * g.sw - g.pw + kx * g.dw;
      if (ix >= 0 && ix < src.shape.w) body(args.src[0][pixel_offset(src, image, iy, ix) + c]);
    }
  }
}

// As torch counts: the window clipped at the pads, whatever of it lies inside src.
int64_t padded_positions(const Pool2dGeometry& g, int64_t y, int64_t x) {
  const int64_t top = y * g.sh - g.ph, left = x * g.sw - g.pw;
  return (std::min(top + g.kh, g.padded_ih) - top) * (std::min(left + g.kw, g.padded_iw) - left);
}

}  // namespace

void max_pool2d_loops_f32_reference(const RunArgs& args) {
  const Pool2dGeometry g = pool2d_geometry(args.problem);
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    for (int64_t c = 0; c < args.problem.dst.shape.c; ++c) {
      float largest = -std::numeric_limits<float>::infinity();
      for_each_in_window(args, g, image, y, x, c, [&](float value) {
        if (value > largest || std::isnan(value)) largest = value;
      });
      store_reference(args, image, y, x, c, largest);
    }
  });
}

void avg_pool2d_loops_f32_reference(const RunArgs& args) {
  const Pool2dGeometry g = pool2d_geometry(args.problem);
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    for (int64_t c = 0; c < args.problem.dst.shape.c; ++c) {
      double sum = 0;
      int64_t inside = 0;
      for_each_in_window(args, g, image, y, x, c, [&](float value) {
        sum += value;
        ++inside;
      });
      const int64_t divisor = g.count_include_pad ? padded_positions(g, y, x) : inside;
      store_reference(args, image, y, x, c, inside ? sum / static_cast<double>(divisor) : 0.0);
    }
  });
}

}  // namespace penult::kernels
