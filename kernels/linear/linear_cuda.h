#pragma once

// linear on the GPU: kernels/linear/linear.h is the contract. Numerics: each of a warp's lanes adds
// products in ic order in f32, lanes are added pairwise, then the bias; the same for every batch.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kLinearCudaTable;

// Packed: OhwiWeights. T: float or gpu::Half.
template <class T>
gpu::Error launch_linear(const GpuArgs& args);

OhwiWeights linear_weights(const Problem& problem, Precision precision);

}  // namespace penult::kernels::cuda
