#pragma once

// max_pool2d and avg_pool2d on the GPU: kernels/pool2d/pool2d.h is the contract. Numerics: averages
// are added in (kh, kw) order in f32 and divided once.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kMaxPool2dCudaTable, kAvgPool2dCudaTable;

// T: float or gpu::Half.
template <class T>
gpu::Error launch_max_pool2d(const GpuArgs& args);
template <class T>
gpu::Error launch_avg_pool2d(const GpuArgs& args);

}  // namespace penult::kernels::cuda
