#include "kernels/slice/slice_cuda.h"

#include "kernels/support.h"

namespace penult::kernels::cuda {
namespace {

constexpr GpuRow kF32 = {.name = "slice_copy_f32_cuda",
                         .precision = Precision::kF32,
                         .launch = launch_slice<float>,
                         .declines = declines_epilogue};
constexpr GpuRow kF16 = {.name = "slice_copy_f16_cuda",
                         .precision = Precision::kF16,
                         .launch = launch_slice<gpu::Half>,
                         .declines = declines_epilogue};

constexpr Kernel kKernels[] = {row<kF32>(), row<kF16>()};

}  // namespace

const Table kSliceCudaTable = {"slice", kKernels};

}  // namespace penult::kernels::cuda
