#include "kernels/mul/mul.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// Pixel (y, x), or the only one.
const float* pixel_of(const RunArgs& args, size_t input, int64_t image, int64_t y, int64_t x) {
  const TensorDesc& src = args.problem.src[input];
  const bool one = src.shape.h == 1 && src.shape.w == 1;
  return args.src[input] + pixel_offset(src, image, one ? 0 : y, one ? 0 : x);
}

}  // namespace

void mul_loops_f32_reference(const RunArgs& args) {
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const float* a = pixel_of(args, 0, image, y, x);
    const float* b = pixel_of(args, 1, image, y, x);
    for (int64_t c = 0; c < args.problem.dst.shape.c; ++c)
      store_reference(args, image, y, x, c, static_cast<double>(a[c]) * b[c]);
  });
}

}  // namespace penult::kernels
