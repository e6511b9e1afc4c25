#include <algorithm>

#include "kernels/pad/pad.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

void zero_pixels(const TensorDesc& dst, float* to, int64_t pixels) {
  std::fill_n(to, pixels * dst.pixel_stride, 0.0F);
}

void copy_pixels(const TensorDesc& src, const float* from, const TensorDesc& dst, float* to,
                 int64_t pixels) {
  const size_t bytes = static_cast<size_t>(src.shape.c) * sizeof(float);
  for (int64_t x = 0; x < pixels; ++x, from += src.pixel_stride, to += dst.pixel_stride)
    std::memcpy(to, from, bytes);
}

}  // namespace

void pad_copy_f32_scalar(const RunArgs& args) {
  const TensorDesc &src = args.problem.src[0], &dst = args.problem.dst;
  const int64_t top = args.problem.attrs.get_int("pads", 0);
  const int64_t left = args.problem.attrs.get_int("pads", 1);
  // Of a row of src the pixels from `first` on, after `before` zeros; one of the two is 0.
  const int64_t first = std::max<int64_t>(-left, 0), before = std::max<int64_t>(left, 0);
  const int64_t kept = std::min(src.shape.w - first, dst.shape.w - before);
  const Range rows = part_of(args.n * dst.shape.h, args.thread, args.threads);
  for (int64_t row = rows.begin; row < rows.end; ++row) {
    const int64_t image = row / dst.shape.h, y = row % dst.shape.h, iy = y - top;
    float* to = args.dst + pixel_offset(dst, image, y, 0);
    if (iy < 0 || iy >= src.shape.h) {
      zero_pixels(dst, to, dst.shape.w);
      continue;
    }
    zero_pixels(dst, to, before);
    to += before * dst.pixel_stride;
    copy_pixels(src, args.src[0] + pixel_offset(src, image, iy, first), dst, to, kept);
    to += kept * dst.pixel_stride;
    zero_pixels(dst, to, dst.shape.w - before - kept);
  }
}

}  // namespace penult::kernels
