#include "kernels/flatten/flatten_cuda.h"

#include "kernels/support.h"

namespace penult::kernels::cuda {
namespace {

constexpr GpuRow kF32 = {.name = "flatten_copy_f32_cuda",
                         .precision = Precision::kF32,
                         .launch = launch_flatten<float>,
                         .declines = declines_epilogue};
constexpr GpuRow kF16 = {.name = "flatten_copy_f16_cuda",
                         .precision = Precision::kF16,
                         .launch = launch_flatten<gpu::Half>,
                         .declines = declines_epilogue};

constexpr Kernel kKernels[] = {row<kF32>(), row<kF16>()};

}  // namespace

const Table kFlattenCudaTable = {"flatten", kKernels};

}  // namespace penult::kernels::cuda
