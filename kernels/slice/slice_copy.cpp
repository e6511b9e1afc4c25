#include "kernels/slice/slice.h"
#include "kernels/support.h"

namespace penult::kernels {

void slice_copy_f32_scalar(const RunArgs& args) {
  const TensorDesc &src = args.problem.src[0], &dst = args.problem.dst;
  const int64_t begin = args.problem.attrs.get_int("begin");
  const size_t bytes = static_cast<size_t>(dst.shape.c) * sizeof(float);
  for_each_dst_pixel(args, [&](int64_t image, int64_t y, int64_t x) {
    std::memcpy(args.dst + pixel_offset(dst, image, y, x),
                args.src[0] + pixel_offset(src, image, y, x) + begin, bytes);
  });
}

}  // namespace penult::kernels
