#include "kernels/add/add.h"
#include "kernels/support.h"

namespace penult::kernels {

void add_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& a = args.problem.src[0];
  const TensorDesc& b = args.problem.src[1];
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const float* pa = args.src[0] + pixel_offset(a, image, y, x);
    const float* pb = args.src[1] + pixel_offset(b, image, y, x);
    for (int64_t c = 0; c < a.shape.c; ++c)
      store_reference(args, image, y, x, c, static_cast<double>(pa[c]) + pb[c]);
  });
}

}  // namespace penult::kernels
