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
    Kernel{"add_stream_f32_avx2", Backend::kNative, Isa::kAvx2, accepts_all, no_halo, no_bytes,
           pack_nothing, no_bytes, run<add_f32_avx2>},
    Kernel{"add_stream_f32_scalar", Backend::kNative, Isa::kScalar, accepts_all, no_halo, no_bytes,
           pack_nothing, no_bytes, run<add_f32_scalar>},
    Kernel{"add_loops_f32_reference", Backend::kReference, Isa::kScalar, accepts_all, no_halo,
           no_bytes, pack_nothing, no_bytes, add_loops_f32_reference},
};

}  // namespace

const Table kAddTable = {"add", kKernels};

}  // namespace penult::kernels
