#include "kernels/pool2d/pool2d_cuda.h"

#include "kernels/support.h"

namespace penult::kernels::cuda {
namespace {

constexpr GpuRow pool(const char* name, Precision precision, gpu::Error (*launch)(const GpuArgs&)) {
  return {.name = name, .precision = precision, .launch = launch, .declines = declines_epilogue};
}

constexpr GpuRow kMaxF32 =
    pool("max_pool2d_groups_f32_cuda", Precision::kF32, launch_max_pool2d<float>);
constexpr GpuRow kMaxF16 =
    pool("max_pool2d_groups_f16_cuda", Precision::kF16, launch_max_pool2d<gpu::Half>);
constexpr GpuRow kAvgF32 =
    pool("avg_pool2d_groups_f32_cuda", Precision::kF32, launch_avg_pool2d<float>);
constexpr GpuRow kAvgF16 =
    pool("avg_pool2d_groups_f16_cuda", Precision::kF16, launch_avg_pool2d<gpu::Half>);

constexpr Kernel kMaxKernels[] = {row<kMaxF32>(), row<kMaxF16>()};
constexpr Kernel kAvgKernels[] = {row<kAvgF32>(), row<kAvgF16>()};

}  // namespace

const Table kMaxPool2dCudaTable = {"max_pool2d", kMaxKernels};
const Table kAvgPool2dCudaTable = {"avg_pool2d", kAvgKernels};

}  // namespace penult::kernels::cuda
