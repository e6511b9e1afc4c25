#include <array>

#include "kernels/pool2d/pool2d.h"
#include "kernels/pool2d/pool2d_params.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

template <void (*kRun)(const Pool2dParams&)>
void run(const RunArgs& args) {
  const TensorDesc &src = args.problem.src[0], &dst = args.problem.dst;
  const Pool2dGeometry g = pool2d_geometry(args.problem);
  const Range rows = rows_to_compute(args);
  kRun({.rows = {src.shape.h, dst.shape.h, g.kh, g.sh, g.dh, g.ph, g.padded_ih},
        .columns = {src.shape.w, dst.shape.w, g.kw, g.sw, g.dw, g.pw, g.padded_iw},
        .c = round_up(dst.shape.c, kChannelPad),
        .row_begin = rows.begin,
        .row_end = rows.end,
        .src = args.src[0],
        .src_strides = strides_of(src),
        .dst = args.dst,
        .dst_strides = strides_of(dst),
        .count_include_pad = g.count_include_pad});
}

RowWindow row_window(const Problem& problem) {
  const Pool2dGeometry g = pool2d_geometry(problem);
  return {.stride = g.sh, .pad = g.ph, .extent = (g.kh - 1) * g.dh + 1};
}

constexpr Kernel native(const char* name, Isa isa, void (*run)(const RunArgs&)) {
  return {.name = name,
          .backend = Backend::kNative,
          .isa = isa,
          .declines = declines_epilogue,
          .row_window = row_window,
          .ring_src = always,
          .run = run};
}

constexpr Kernel reference(const char* name, void (*run)(const RunArgs&)) {
  return {.name = name,
          .backend = Backend::kReference,
          .isa = Isa::kScalar,
          .declines = declines_epilogue,
          .run = run};
}

constexpr std::array kMaxKernels = {
    native("max_pool2d_window_f32_avx512", Isa::kAvx512, run<max_pool2d_f32_avx512>),
    native("max_pool2d_window_f32_avx2", Isa::kAvx2, run<max_pool2d_f32_avx2>),
    native("max_pool2d_window_f32_portable16", Isa::kPortable16, run<max_pool2d_f32_portable16>),
    native("max_pool2d_window_f32_scalar", Isa::kScalar, run<max_pool2d_f32_scalar>),
    reference("max_pool2d_loops_f32_reference", max_pool2d_loops_f32_reference),
};

constexpr std::array kAvgKernels = {
    native("avg_pool2d_window_f32_avx512", Isa::kAvx512, run<avg_pool2d_f32_avx512>),
    native("avg_pool2d_window_f32_avx2", Isa::kAvx2, run<avg_pool2d_f32_avx2>),
    native("avg_pool2d_window_f32_portable16", Isa::kPortable16, run<avg_pool2d_f32_portable16>),
    native("avg_pool2d_window_f32_scalar", Isa::kScalar, run<avg_pool2d_f32_scalar>),
    reference("avg_pool2d_loops_f32_reference", avg_pool2d_loops_f32_reference),
};

}  // namespace

Pool2dGeometry pool2d_geometry(const Problem& problem) {
  const Attributes& attrs = problem.attrs;
  const Shape& src = problem.src[0].shape;
  const bool dilates = attrs.find("dilations") != nullptr;
  const bool averages = attrs.find("count_include_pad") != nullptr;
  return {.kh = attrs.get_int("kernel", 0),
          .kw = attrs.get_int("kernel", 1),
          .sh = attrs.get_int("strides", 0),
          .sw = attrs.get_int("strides", 1),
          .dh = dilates ? attrs.get_int("dilations", 0) : 1,
          .dw = dilates ? attrs.get_int("dilations", 1) : 1,
          .ph = attrs.get_int("pads", 0),
          .pw = attrs.get_int("pads", 1),
          .padded_ih = src.h + attrs.get_int("pads", 2),
          .padded_iw = src.w + attrs.get_int("pads", 3),
          .count_include_pad = averages && attrs.get_int("count_include_pad") == 1};
}

const Table kMaxPool2dTable = {"max_pool2d", kMaxKernels};
const Table kAvgPool2dTable = {"avg_pool2d", kAvgKernels};

}  // namespace penult::kernels
