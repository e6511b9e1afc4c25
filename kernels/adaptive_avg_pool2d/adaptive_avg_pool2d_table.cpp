#include <array>

#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d.h"
#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d_params.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

template <void (*kRun)(const AdaptiveAvgPool2dParams&)>
void run(const RunArgs& args) {
  const TensorDesc &src = args.problem.src[0], &dst = args.problem.dst;
  const Range rows = rows_to_compute(args);
  kRun({.ih = src.shape.h,
        .iw = src.shape.w,
        .oh = dst.shape.h,
        .ow = dst.shape.w,
        .c = round_up(dst.shape.c, kChannelPad),
        .row_begin = rows.begin,
        .row_end = rows.end,
        .src = args.src[0],
        .src_strides = strides_of(src),
        .dst = args.dst,
        .dst_strides = strides_of(dst)});
}

constexpr Kernel without_epilogue(Kernel row) {
  row.declines = declines_epilogue;
  return row;
}

constexpr Kernel native(const char* name, Isa isa, void (*run)(const RunArgs&)) {
  return without_epilogue(native_row(name, isa, run));
}

constexpr std::array kKernels = {
    native("adaptive_avg_pool2d_window_f32_avx512", Isa::kAvx512,
           run<adaptive_avg_pool2d_f32_avx512>),
    native("adaptive_avg_pool2d_window_f32_avx2", Isa::kAvx2, run<adaptive_avg_pool2d_f32_avx2>),
    native("adaptive_avg_pool2d_window_f32_portable16", Isa::kPortable16,
           run<adaptive_avg_pool2d_f32_portable16>),
    native("adaptive_avg_pool2d_window_f32_scalar", Isa::kScalar,
           run<adaptive_avg_pool2d_f32_scalar>),
    without_epilogue(reference_row("adaptive_avg_pool2d_loops_f32_reference",
                                   adaptive_avg_pool2d_loops_f32_reference)),
};

}  // namespace

const Table kAdaptiveAvgPool2dTable = {"adaptive_avg_pool2d", kKernels};

}  // namespace penult::kernels
