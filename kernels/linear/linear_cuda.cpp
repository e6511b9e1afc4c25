#include "kernels/linear/linear_cuda.h"

namespace penult::kernels::cuda {
namespace {

template <Precision kPrecision>
size_t packed_bytes(const Problem& problem) {
  return linear_weights(problem, kPrecision).bytes();
}

template <Precision kPrecision>
Status pack(const Problem& problem, Weights& weights, std::byte* packed) {
  return linear_weights(problem, kPrecision).pack(weights, packed);
}

template <Precision kPrecision>
constexpr GpuRow linear(const char* name, gpu::Error (*launch)(const GpuArgs&)) {
  return {.name = name,
          .precision = kPrecision,
          .launch = launch,
          .packed_bytes = packed_bytes<kPrecision>,
          .pack = pack<kPrecision>};
}

constexpr GpuRow kF32 = linear<Precision::kF32>("linear_warp_f32_cuda", launch_linear<float>);
constexpr GpuRow kF16 = linear<Precision::kF16>("linear_warp_f16_cuda", launch_linear<gpu::Half>);

constexpr Kernel kKernels[] = {row<kF32>(), row<kF16>()};

}  // namespace

OhwiWeights linear_weights(const Problem& problem, Precision precision) {
  return {.oc = problem.dst.shape.c,
          .ic = problem.src[0].shape.c,
          .kh = 1,
          .kw = 1,
          .precision = precision};
}

const Table kLinearCudaTable = {"linear", kKernels};

}  // namespace penult::kernels::cuda
