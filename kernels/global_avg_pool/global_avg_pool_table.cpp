#include <array>

#include "kernels/global_avg_pool/global_avg_pool.h"
#include "kernels/global_avg_pool/global_avg_pool_params.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

template <void (*kRun)(const GlobalAvgPoolParams&)>
void run(const RunArgs& args) {
  const Problem& problem = args.problem;
  const TensorDesc& src = problem.src[0];
  const int64_t blocks = round_up(src.shape.c, kChannelPad) / kChannelPad;
  const Range units = part_of(args.n * blocks, args.thread, args.threads);
  const auto pixels = static_cast<double>(src.shape.h * src.shape.w);
  kRun({.h = src.shape.h,
        .w = src.shape.w,
        .blocks = blocks,
        .begin = units.begin,
        .end = units.end,
        .src = args.src[0],
        .src_image_stride = src.image_stride,
        .src_row_stride = src.row_stride,
        .src_pixel_stride = src.pixel_stride,
        .residual = args.residual,
        .residual_image_stride = problem.residual.image_stride,
        .dst = args.dst,
        .dst_image_stride = problem.dst.image_stride,
        .scale = static_cast<float>(1.0 / pixels),
        .activation = problem.epilogue.activation});
}

constexpr std::array kKernels = {
    native_row("global_avg_pool_stream_f32_avx512", Isa::kAvx512, run<global_avg_pool_f32_avx512>),
    native_row("global_avg_pool_stream_f32_avx2", Isa::kAvx2, run<global_avg_pool_f32_avx2>),
    native_row("global_avg_pool_stream_f32_portable16", Isa::kPortable16,
               run<global_avg_pool_f32_portable16>),
    native_row("global_avg_pool_stream_f32_scalar", Isa::kScalar, run<global_avg_pool_f32_scalar>),
    reference_row("global_avg_pool_loops_f32_reference", global_avg_pool_loops_f32_reference),
};

}  // namespace

const Table kGlobalAvgPoolTable = {"global_avg_pool", kKernels};

}  // namespace penult::kernels
