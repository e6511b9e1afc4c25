#include "kernels/pad/pad_cuda.h"

#include "kernels/support.h"

namespace penult::kernels::cuda {
namespace {

constexpr GpuRow kF32 = {.name = "pad_copy_f32_cuda",
                         .precision = Precision::kF32,
                         .launch = launch_pad<float>,
                         .declines = declines_epilogue};
constexpr GpuRow kF16 = {.name = "pad_copy_f16_cuda",
                         .precision = Precision::kF16,
                         .launch = launch_pad<gpu::Half>,
                         .declines = declines_epilogue};

constexpr Kernel kKernels[] = {row<kF32>(), row<kF16>()};

}  // namespace

const Table kPadCudaTable = {"pad", kKernels};

}  // namespace penult::kernels::cuda
