#include "kernels/pad/pad.h"
#include "kernels/support.h"

namespace penult::kernels {

void pad_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const int64_t top = args.problem.attrs.get_int("pads", 0);
  const int64_t left = args.problem.attrs.get_int("pads", 1);
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const int64_t iy = y - top, ix = x - left;
    const bool inside = iy >= 0 && iy < src.shape.h && ix >= 0 && ix < src.shape.w;
    for (int64_t c = 0; c < src.shape.c; ++c) {
      const double value = inside ? args.src[0][pixel_offset(src, image, iy, ix) + c] : 0.0;
      store_reference(args, image, y, x, c, value);
    }
  });
}

}  // namespace penult::kernels
