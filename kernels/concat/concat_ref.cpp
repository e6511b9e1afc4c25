#include "kernels/concat/concat.h"
#include "kernels/support.h"

namespace penult::kernels {

void concat_loops_f32_reference(const RunArgs& args) {
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    int64_t first = 0;
    for (size_t i = 0; i < args.problem.src.size(); ++i) {
      const TensorDesc& src = args.problem.src[i];
      const float* pixel = args.src[i] + pixel_offset(src, image, y, x);
      for (int64_t c = 0; c < src.shape.c; ++c)
        store_reference(args, image, y, x, first + c, pixel[c]);
      first += src.shape.c;
    }
  });
}

}  // namespace penult::kernels
