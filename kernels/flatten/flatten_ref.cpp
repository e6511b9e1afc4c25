#include "kernels/flatten/flatten.h"
#include "kernels/support.h"

namespace penult::kernels {

void flatten_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const Shape& shape = src.shape;
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    int64_t i = 0;
    for (int64_t c = 0; c < shape.c; ++c)
      for (int64_t iy = 0; iy < shape.h; ++iy)
        for (int64_t ix = 0; ix < shape.w; ++ix)
          store_reference(args, image, y, x, i++,
                          args.src[0][pixel_offset(src, image, iy, ix) + c]);
  });
}

}  // namespace penult::kernels
