#include "kernels/global_avg_pool/global_avg_pool.h"
#include "kernels/support.h"

namespace penult::kernels {

void global_avg_pool_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const Shape& shape = src.shape;
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    for (int64_t c = 0; c < shape.c; ++c) {
      double sum = 0;
      for (int64_t iy = 0; iy < shape.h; ++iy)
        for (int64_t ix = 0; ix < shape.w; ++ix)
          sum += args.src[0][pixel_offset(src, image, iy, ix) + c];
      store_reference(args, image, y, x, c, sum / static_cast<double>(shape.h * shape.w));
    }
  });
}

}  // namespace penult::kernels
