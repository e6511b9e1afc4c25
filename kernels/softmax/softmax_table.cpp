#include <array>

#include "kernels/softmax/softmax.h"
#include "kernels/softmax/softmax_params.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

template <void (*kRun)(const SoftmaxParams&)>
void run(const RunArgs& args) {
  const TensorDesc &src = args.problem.src[0], &dst = args.problem.dst;
  const Range images = part_of(args.n, args.thread, args.threads);
  kRun({.c = src.shape.c,
        .image_begin = images.begin,
        .image_end = images.end,
        .src = args.src[0],
        .src_image_stride = src.image_stride,
        .dst = args.dst,
        .dst_image_stride = dst.image_stride});
}

constexpr Kernel native(const char* name, Isa isa, void (*run)(const RunArgs&)) {
  return {.name = name,
          .backend = Backend::kNative,
          .isa = isa,
          .declines = declines_epilogue,
          .run = run};
}

constexpr std::array kKernels = {
    native("softmax_stream_f32_avx512", Isa::kAvx512, run<softmax_f32_avx512>),
    native("softmax_stream_f32_avx2", Isa::kAvx2, run<softmax_f32_avx2>),
    native("softmax_stream_f32_portable16", Isa::kPortable16, run<softmax_f32_portable16>),
    native("softmax_stream_f32_scalar", Isa::kScalar, run<softmax_f32_scalar>),
    Kernel{.name = "softmax_loops_f32_reference",
           .backend = Backend::kReference,
           .isa = Isa::kScalar,
           .declines = declines_epilogue,
           .run = softmax_loops_f32_reference},
};

}  // namespace

const Table kSoftmaxTable = {"softmax", kKernels};

}  // namespace penult::kernels
