#include "kernels/concat/concat.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// One row of one input: a copy for each pixel.
void copy_row(const TensorDesc& src, const float* from, int64_t dst_pixel, float* to) {
  const size_t bytes = static_cast<size_t>(src.shape.c) * sizeof(float);
  for (int64_t x = 0; x < src.shape.w; ++x, from += src.pixel_stride, to += dst_pixel)
    std::memcpy(to, from, bytes);
}

}  // namespace

void concat_copy_f32_scalar(const RunArgs& args) {
  const TensorDesc& dst = args.problem.dst;
  const Range rows = part_of(args.n * dst.shape.h, args.thread, args.threads);
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const int64_t image = row / dst.shape.h, y = row % dst.shape.h;
    float* to = args.dst + pixel_offset(dst, image, y, 0);
    for (size_t i = 0; i < args.problem.src.size(); ++i) {
      const TensorDesc& src = args.problem.src[i];
      copy_row(src, args.src[i] + pixel_offset(src, image, y, 0), dst.pixel_stride, to);
      to += src.shape.c;
    }
  }
}

}  // namespace penult::kernels
