#include "engine/base/activation_def.h"
#include "kernels/activation/activation.h"
#include "kernels/support.h"

namespace penult::kernels {

void activation_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const Activation& function = args.problem.function;
  const auto apply = def_of(function).apply;
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const float* pixel = args.src[0] + pixel_offset(src, image, y, x);
    for (int64_t c = 0; c < src.shape.c; ++c)
      store_reference(args, image, y, x, c, apply(function, pixel[c]));
  });
}

}  // namespace penult::kernels
