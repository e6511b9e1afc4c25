#include "kernels/slice/slice.h"
#include "kernels/support.h"

namespace penult::kernels {

void slice_loops_f32_reference(const RunArgs& args) {
  const TensorDesc &src = args.problem.src[0], &dst = args.problem.dst;
  const int64_t begin = args.problem.attrs.get_int("begin");
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const float* pixel = args.src[0] + pixel_offset(src, image, y, x);
    for (int64_t c = 0; c < dst.shape.c; ++c)
      store_reference(args, image, y, x, c, pixel[begin + c]);
  });
}

}  // namespace penult::kernels
