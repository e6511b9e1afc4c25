#include "kernels/global_avg_pool/global_avg_pool_cuda.h"

namespace penult::kernels::cuda {
namespace {

constexpr GpuRow kF32 = {.name = "global_avg_pool_block_f32_cuda",
                         .precision = Precision::kF32,
                         .launch = launch_global_avg_pool<float>};
constexpr GpuRow kF16 = {.name = "global_avg_pool_block_f16_cuda",
                         .precision = Precision::kF16,
                         .launch = launch_global_avg_pool<gpu::Half>};

constexpr Kernel kKernels[] = {row<kF32>(), row<kF16>()};

}  // namespace

const Table kGlobalAvgPoolCudaTable = {"global_avg_pool", kKernels};

}  // namespace penult::kernels::cuda
