#include <array>

#include "kernels/mul/mul.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// A factor for each channel is a map whose rows and pixels all lie in one place.
void spread(const Shape& src, PointwiseMap<const float>& map) {
  if (src.h != 1 || src.w != 1) return;
  map.row_stride = 0;
  map.pixel_stride = 0;
}

template <void (*kRun)(const PointwiseParams&)>
void run(const RunArgs& args) {
  PointwiseParams params = pointwise_params(args);
  for (size_t i = 0; i < 2; ++i) spread(args.problem.src[i].shape, params.src[i]);
  kRun(params);
}

constexpr Kernel native(const char* name, Isa isa, void (*run)(const RunArgs&)) {
  return {.name = name, .backend = Backend::kNative, .isa = isa, .run = run};
}

constexpr std::array kKernels = {
    native("mul_stream_f32_avx512", Isa::kAvx512, run<mul_f32_avx512>),
    native("mul_stream_f32_avx2", Isa::kAvx2, run<mul_f32_avx2>),
    native("mul_stream_f32_portable16", Isa::kPortable16, run<mul_f32_portable16>),
    native("mul_stream_f32_scalar", Isa::kScalar, run<mul_f32_scalar>),
    Kernel{.name = "mul_loops_f32_reference",
           .backend = Backend::kReference,
           .isa = Isa::kScalar,
           .run = mul_loops_f32_reference},
};

}  // namespace

const Table kMulTable = {"mul", kKernels};

}  // namespace penult::kernels
