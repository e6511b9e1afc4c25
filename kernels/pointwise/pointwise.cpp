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
  PointwiseParams params{.h = shape.h,
                         .w = shape.w,
                         .c = round_up(shape.c, kChannelPad),
                         .row_begin = rows.begin,
                         .row_end = rows.end,
                         .src = {},
                         .residual = to_map(problem.residual, args.residual),
                         .dst = to_map(problem.dst, args.dst),
                         .scale = nullptr,
                         .shift = nullptr,
                         .function = to_params({}),
                         .activation = to_params(problem.epilogue.activation)};
  for (size_t i = 0; i < problem.src.size() && i < 2; ++i)
    params.src[i] = to_map(problem.src[i], args.src[i]);
  return params;
}

}  // namespace penult::kernels
