#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

Range window_of(int64_t i, int64_t in, int64_t out) {
  return {i * in / out, ((i + 1) * in + out - 1) / out};
}

}  // namespace

void adaptive_avg_pool2d_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const Shape& dst = args.problem.dst.shape;
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const Range rows = window_of(y, src.shape.h, dst.h), columns = window_of(x, src.shape.w, dst.w);
    for (int64_t c = 0; c < dst.c; ++c) {
      double sum = 0;
      int64_t pixels = 0;
      for (int64_t iy = rows.begin; iy < rows.end; ++iy) {
        for (int64_t ix = columns.begin; ix < columns.end; ++ix, ++pixels)
          sum += args.src[0][pixel_offset(src, image, iy, ix) + c];
      }
      store_reference(args, image, y, x, c, sum / static_cast<double>(pixels));
    }
  });
}

}  // namespace penult::kernels
