#pragma once

// pad on the GPU: kernels/pad/pad.h is the contract.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kPadCudaTable;

// T: float or gpu::Half.
template <class T>
gpu::Error launch_pad(const GpuArgs& args);

}  // namespace penult::kernels::cuda
