#pragma once

// Operators without a reduction on the GPU, eight channels in a thread. Contracts:
// kernels/add/add.h, kernels/mul/mul.h, kernels/activation/activation.h,
// kernels/batchnorm/batchnorm.h.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kActivationCudaTable, kAddCudaTable, kBatchnormCudaTable, kMulCudaTable;

// T: float or gpu::Half.
template <class T>
gpu::Error launch_activation(const GpuArgs& args);
template <class T>
gpu::Error launch_add(const GpuArgs& args);
template <class T>
gpu::Error launch_mul(const GpuArgs& args);

// Packed: scale and then shift, each [padded(c)] floats.
template <class T>
gpu::Error launch_batchnorm(const GpuArgs& args);

}  // namespace penult::kernels::cuda
