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

constexpr std::array kKernels = {
    native_row("mul_stream_f32_avx512", Isa::kAvx512, run<mul_f32_avx512>),
    native_row("mul_stream_f32_avx2", Isa::kAvx2, run<mul_f32_avx2>),
    native_row("mul_stream_f32_portable16", Isa::kPortable16, run<mul_f32_portable16>),
    native_row("mul_stream_f32_scalar", Isa::kScalar, run<mul_f32_scalar>),
    reference_row("mul_loops_f32_reference", mul_loops_f32_reference),
};

}  // namespace

const Table kMulTable = {"mul", kKernels};

}  // namespace penult::kernels
