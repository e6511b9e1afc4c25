#include "kernels/linear/linear.h"
#include "kernels/support.h"

namespace penult::kernels {

void linear_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const int64_t ic = src.shape.c, oc = args.problem.dst.shape.c;
  const float* weights = raw_weight(args.problem, args.packed, 0);
  const float* bias = raw_weight(args.problem, args.packed, 1);
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const float* vector = args.src[0] + image * src.image_stride;
    for (int64_t o = 0; o < oc; ++o) {
      double sum = bias ? bias[o] : 0.0;
      for (int64_t i = 0; i < ic; ++i) sum += static_cast<double>(vector[i]) * weights[o * ic + i];
      store_reference(args, image, y, x, o, sum);
    }
  });
}

}  // namespace penult::kernels
