#include "kernels/adaptive_avg_pool2d/adaptive_avg_pool2d_cuda.h"

#include "kernels/support.h"

namespace penult::kernels::cuda {
namespace {

constexpr GpuRow kF32 = {.name = "adaptive_avg_pool2d_groups_f32_cuda",
                         .precision = Precision::kF32,
                         .launch = launch_adaptive_avg_pool2d<float>,
                         .declines = declines_epilogue};
constexpr GpuRow kF16 = {.name = "adaptive_avg_pool2d_groups_f16_cuda",
                         .precision = Precision::kF16,
                         .launch = launch_adaptive_avg_pool2d<gpu::Half>,
                         .declines = declines_epilogue};

constexpr Kernel kKernels[] = {row<kF32>(), row<kF16>()};

}  // namespace

const Table kAdaptiveAvgPool2dCudaTable = {"adaptive_avg_pool2d", kKernels};

}  // namespace penult::kernels::cuda
