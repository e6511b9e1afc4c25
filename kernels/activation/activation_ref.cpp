#include <limits>

#include "kernels/activation/activation.h"
#include "kernels/support.h"

namespace penult::kernels {

Activation activation_of(const Problem& problem) {
  if (problem.op == "relu6") return Activation::clamp(0, 6);
  return Activation::clamp(0, std::numeric_limits<float>::infinity());
}

void activation_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const Activation function = activation_of(args.problem);
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const float* pixel = args.src[0] + pixel_offset(src, image, y, x);
    for (int64_t c = 0; c < src.shape.c; ++c)
      store_reference(args, image, y, x, c, activate(function, pixel[c]));
  });
}

}  // namespace penult::kernels
