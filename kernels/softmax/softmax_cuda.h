#pragma once

// softmax on the GPU: kernels/softmax/softmax.h is the contract. Numerics: each of a block's
// threads adds its elements in f32, every 256th group of 8, then lanes and warps pairwise; relative
// error <= (c/256 + 16 + |src - m|) * 2^-24.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kSoftmaxCudaTable;

// T: float or gpu::Half.
template <class T>
gpu::Error launch_softmax(const GpuArgs& args);

}  // namespace penult::kernels::cuda
