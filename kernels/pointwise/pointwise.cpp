#include "kernels/pointwise/pointwise.h"

namespace penult::kernels {
namespace {

template <class Float>
PointwiseMap<Float> to_map(const TensorDesc& desc, Float* data) {
  return {data, desc.image_stride, desc.row_stride, desc.pixel_stride};
}

}  // namespace

PointwiseParams pointwise_params(const RunArgs& args) {
  const Problem& problem = args.problem;
  const Shape& shape = problem.dst.shape;
  const Range rows = part_of(args.n * shape.h, args.thread, args.threads);
  const size_t second = problem.src.size() > 1 ? 1 : 0;
  return {
      .h = shape.h,
      .w = shape.w,
      .c = round_up(shape.c, kChannelPad),
      .row_begin = rows.begin,
      .row_end = rows.end,
      .src = {to_map(problem.src[0], args.src[0]), to_map(problem.src[second], args.src[second])},
      .residual = to_map(problem.residual, args.residual),
      .dst = to_map(problem.dst, args.dst),
      .scale = nullptr,
      .shift = nullptr,
      .function = {},
      .activation = problem.epilogue.activation};
}

}  // namespace penult::kernels
