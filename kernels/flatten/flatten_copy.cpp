#include <algorithm>

#include "kernels/flatten/flatten.h"
#include "kernels/support.h"

namespace penult::kernels {

// Parts are ranges of channels through all images: each is one stretch of dst.
void flatten_copy_f32_scalar(const RunArgs& args) {
  const TensorDesc& src = args.problem.src[0];
  const int64_t channels = src.shape.c, plane = src.shape.h * src.shape.w;
  const Range jobs = part_of(args.n * channels, args.thread, args.threads);
  for (int64_t begin = jobs.begin; begin < jobs.end;) {
    const int64_t image = begin / channels, c = begin % channels;
    const int64_t count = std::min(channels - c, jobs.end - begin);
    float* to = args.dst + image * args.problem.dst.image_stride + c * plane;
    for (int64_t pixel = 0; pixel < plane; ++pixel, ++to) {
      const float* from =
          args.src[0] + pixel_offset(src, image, pixel / src.shape.w, pixel % src.shape.w) + c;
      if (plane == 1) {
        std::memcpy(to, from, static_cast<size_t>(count) * sizeof(float));
        break;
      }
      for (int64_t i = 0; i < count; ++i) to[i * plane] = from[i];
    }
    begin += count;
  }
}

}  // namespace penult::kernels
