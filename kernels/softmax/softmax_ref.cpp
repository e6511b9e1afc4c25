#include <algorithm>
#include <cmath>

#include "kernels/softmax/softmax.h"
#include "kernels/support.h"

namespace penult::kernels {

void softmax_loops_f32_reference(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const int64_t channels = src.shape.c;
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    const float* vector = args.src[0] + image * src.image_stride;
    const double largest = *std::max_element(vector, vector + channels);
    double sum = 0;
    for (int64_t c = 0; c < channels; ++c) sum += std::exp(vector[c] - largest);
    for (int64_t c = 0; c < channels; ++c)
      store_reference(args, image, y, x, c, std::exp(vector[c] - largest) / sum);
  });
}

}  // namespace penult::kernels
