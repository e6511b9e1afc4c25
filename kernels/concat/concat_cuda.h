#pragma once

// concat on the GPU: kernels/concat/concat.h is the contract. One launch for each input.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kConcatCudaTable;

// T: float or gpu::Half.
template <class T>
gpu::Error launch_concat(const GpuArgs& args);

}  // namespace penult::kernels::cuda
