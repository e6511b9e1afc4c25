#include <array>

#include "kernels/activation/activation.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

template <void (*kRun)(const PointwiseParams&)>
void run(const RunArgs& args) {
  PointwiseParams params = pointwise_params(args);
  params.function = args.problem.function;
  kRun(params);
}

constexpr std::array kKernels = {
    native_row("activation_stream_f32_avx512", Isa::kAvx512, run<activation_f32_avx512>),
    native_row("activation_stream_f32_avx2", Isa::kAvx2, run<activation_f32_avx2>),
    native_row("activation_stream_f32_portable16", Isa::kPortable16,
               run<activation_f32_portable16>),
    native_row("activation_stream_f32_scalar", Isa::kScalar, run<activation_f32_scalar>),
    reference_row("activation_loops_f32_reference", activation_loops_f32_reference),
};

}  // namespace

const Table kActivationTable = {"activation", kKernels};

}  // namespace penult::kernels
