#pragma once

// flatten on the GPU: kernels/flatten/flatten.h is the contract.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kFlattenCudaTable;

// T: float or gpu::Half.
template <class T>
gpu::Error launch_flatten(const GpuArgs& args);

}  // namespace penult::kernels::cuda
