#pragma once

// slice on the GPU: kernels/slice/slice.h is the contract.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kSliceCudaTable;

// T: float or gpu::Half.
template <class T>
gpu::Error launch_slice(const GpuArgs& args);

}  // namespace penult::kernels::cuda
