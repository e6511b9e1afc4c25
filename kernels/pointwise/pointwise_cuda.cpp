#include "kernels/pointwise/pointwise_cuda.h"

#include <cmath>
#include <cstring>

namespace penult::kernels::cuda {
namespace {

size_t batchnorm_bytes(const Problem& problem) {
  return static_cast<size_t>(2 * padded(problem.dst.shape.c)) * sizeof(float);
}

Status pack_batchnorm(const Problem& problem, Weights& weights, std::byte* packed) {
  std::memset(packed, 0, batchnorm_bytes(problem));
  const double eps = problem.attrs.get_float("eps");
  const std::span<const float> gamma = weights[0], beta = weights[1], mean = weights[2],
                               var = weights[3];
  if (gamma.empty()) return {};  // unreadable: the caller knows
  auto* const scales = reinterpret_cast<float*>(packed);
  float* const shifts = scales + padded(problem.dst.shape.c);
  for (size_t c = 0; c < gamma.size(); ++c) {
    const double scale = gamma[c] / std::sqrt(var[c] + eps);
    scales[c] = static_cast<float>(scale);
    shifts[c] = static_cast<float>(beta[c] - mean[c] * scale);
  }
  return {};
}

constexpr GpuRow simple(const char* name, Precision precision,
                        gpu::Error (*launch)(const GpuArgs&)) {
  return {.name = name, .precision = precision, .launch = launch};
}

constexpr GpuRow batchnorm(const char* name, Precision precision,
                           gpu::Error (*launch)(const GpuArgs&)) {
  GpuRow row = simple(name, precision, launch);
  row.packed_bytes = batchnorm_bytes;
  row.pack = pack_batchnorm;
  return row;
}

constexpr Precision kF32 = Precision::kF32, kF16 = Precision::kF16;

constexpr GpuRow kActivationF32 =
    simple("activation_groups_f32_cuda", kF32, launch_activation<float>);
constexpr GpuRow kActivationF16 =
    simple("activation_groups_f16_cuda", kF16, launch_activation<gpu::Half>);
constexpr GpuRow kAddF32 = simple("add_groups_f32_cuda", kF32, launch_add<float>);
constexpr GpuRow kAddF16 = simple("add_groups_f16_cuda", kF16, launch_add<gpu::Half>);
constexpr GpuRow kMulF32 = simple("mul_groups_f32_cuda", kF32, launch_mul<float>);
constexpr GpuRow kMulF16 = simple("mul_groups_f16_cuda", kF16, launch_mul<gpu::Half>);
constexpr GpuRow kBatchnormF32 =
    batchnorm("batchnorm_groups_f32_cuda", kF32, launch_batchnorm<float>);
constexpr GpuRow kBatchnormF16 =
    batchnorm("batchnorm_groups_f16_cuda", kF16, launch_batchnorm<gpu::Half>);

constexpr Kernel kActivationKernels[] = {row<kActivationF32>(), row<kActivationF16>()};
constexpr Kernel kAddKernels[] = {row<kAddF32>(), row<kAddF16>()};
constexpr Kernel kBatchnormKernels[] = {row<kBatchnormF32>(), row<kBatchnormF16>()};
constexpr Kernel kMulKernels[] = {row<kMulF32>(), row<kMulF16>()};

}  // namespace

const Table kActivationCudaTable = {"activation", kActivationKernels};
const Table kAddCudaTable = {"add", kAddKernels};
const Table kBatchnormCudaTable = {"batchnorm", kBatchnormKernels};
const Table kMulCudaTable = {"mul", kMulKernels};

}  // namespace penult::kernels::cuda
