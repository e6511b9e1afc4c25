#include "kernels/softmax/softmax_cuda.h"

#include "kernels/support.h"

namespace penult::kernels::cuda {
namespace {

constexpr GpuRow kF32 = {.name = "softmax_block_f32_cuda",
                         .precision = Precision::kF32,
                         .launch = launch_softmax<float>,
                         .declines = declines_epilogue};
constexpr GpuRow kF16 = {.name = "softmax_block_f16_cuda",
                         .precision = Precision::kF16,
                         .launch = launch_softmax<gpu::Half>,
                         .declines = declines_epilogue};

constexpr Kernel kKernels[] = {row<kF32>(), row<kF16>()};

}  // namespace

const Table kSoftmaxCudaTable = {"softmax", kKernels};

}  // namespace penult::kernels::cuda
