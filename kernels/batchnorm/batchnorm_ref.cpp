#include <cmath>

#include "kernels/batchnorm/batchnorm.h"
#include "kernels/support.h"

namespace penult::kernels {

void batchnorm_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const double eps = args.problem.attrs.get_float("eps");
  const auto slot = [&](size_t i) { return raw_weight(args.problem, args.packed, i); };
  const float *gamma = slot(0), *beta = slot(1), *mean = slot(2), *var = slot(3);
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const float* pixel = args.src[0] + pixel_offset(src, image, y, x);
    for (int64_t c = 0; c < src.shape.c; ++c) {
      const double centred = static_cast<double>(pixel[c]) - mean[c];
      const double scaled = gamma[c] * centred / std::sqrt(var[c] + eps);
      store_reference(args, image, y, x, c, scaled + beta[c]);
    }
  });
}

}  // namespace penult::kernels
