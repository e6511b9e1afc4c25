#pragma once

// adaptive_avg_pool2d on the GPU: kernels/adaptive_avg_pool2d/adaptive_avg_pool2d.h is the
// contract. Numerics: added in (h, w) order in f32 and divided once.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kAdaptiveAvgPool2dCudaTable;

// T: float or gpu::Half.
template <class T>
gpu::Error launch_adaptive_avg_pool2d(const GpuArgs& args);

}  // namespace penult::kernels::cuda
