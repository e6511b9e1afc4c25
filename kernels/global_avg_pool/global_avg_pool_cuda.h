#pragma once

// global_avg_pool on the GPU: kernels/global_avg_pool/global_avg_pool.h is the contract. Numerics:
// each of 16 (from 256 pixels on 64) sums takes every 16th (64th) pixel in raster order, and they
// are added in order, all in f32: the same for every batch.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kGlobalAvgPoolCudaTable;

// T: float or gpu::Half.
template <class T>
gpu::Error launch_global_avg_pool(const GpuArgs& args);

}  // namespace penult::kernels::cuda
