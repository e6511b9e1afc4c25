#include <array>

#include "kernels/add/add.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

template <void (*kRun)(const PointwiseParams&)>
void run(const RunArgs& args) {
  kRun(pointwise_params(args));
}

constexpr std::array kKernels = {
    native_row("add_stream_f32_avx512", Isa::kAvx512, run<add_f32_avx512>),
    native_row("add_stream_f32_avx2", Isa::kAvx2, run<add_f32_avx2>),
    native_row("add_stream_f32_portable16", Isa::kPortable16, run<add_f32_portable16>),
    native_row("add_stream_f32_scalar", Isa::kScalar, run<add_f32_scalar>),
    reference_row("add_loops_f32_reference", add_loops_f32_reference),
};

}  // namespace

const Table kAddTable = {"add", kKernels};

}  // namespace penult::kernels
