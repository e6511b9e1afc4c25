#include <array>

#include "kernels/activation/activation.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

template <void (*kRun)(const PointwiseParams&)>
void run(const RunArgs& args) {
  PointwiseParams params = pointwise_params(args);
  params.function = to_params(activation_of(args.problem));
  kRun(params);
}

constexpr Kernel native(const char* name, Isa isa, void (*run)(const RunArgs&)) {
  return {.name = name, .backend = Backend::kNative, .isa = isa, .run = run};
}

constexpr Kernel reference(const char* name) {
  return {.name = name,
          .backend = Backend::kReference,
          .isa = Isa::kScalar,
          .run = activation_loops_f32_reference};
}

constexpr std::array kReluKernels = {
    native("relu_stream_f32_avx512", Isa::kAvx512, run<activation_f32_avx512>),
    native("relu_stream_f32_avx2", Isa::kAvx2, run<activation_f32_avx2>),
    native("relu_stream_f32_portable16", Isa::kPortable16, run<activation_f32_portable16>),
    native("relu_stream_f32_scalar", Isa::kScalar, run<activation_f32_scalar>),
    reference("relu_loops_f32_reference"),
};

constexpr std::array kRelu6Kernels = {
    native("relu6_stream_f32_avx512", Isa::kAvx512, run<activation_f32_avx512>),
    native("relu6_stream_f32_avx2", Isa::kAvx2, run<activation_f32_avx2>),
    native("relu6_stream_f32_portable16", Isa::kPortable16, run<activation_f32_portable16>),
    native("relu6_stream_f32_scalar", Isa::kScalar, run<activation_f32_scalar>),
    reference("relu6_loops_f32_reference"),
};

}  // namespace

const Table kReluTable = {"relu", kReluKernels};
const Table kRelu6Table = {"relu6", kRelu6Kernels};

}  // namespace penult::kernels
