#pragma once

// conv2d with groups == ic == oc on the GPU: kernels/conv2d/conv2d_geometry.h is the contract. The
// table stands before conv2d's. Numerics: as there, the products added in (kh, kw) order to the
// bias in f32.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kDepthwiseConv2dCudaTable;

// Packed: the bias (zeros if there is none) and then the weights of each (kh, kw), each [padded(c)]
// floats: what a thread reads of them is small beside the map, and f32 needs no conversion.
size_t depthwise_bytes(const Problem& problem);
Status pack_depthwise(const Problem& problem, Weights& weights, std::byte* packed);

// T: float or gpu::Half.
template <class T>
gpu::Error launch_depthwise(const GpuArgs& args);  // 3x3 and 5x5, strides 1 and 2
template <class T>
gpu::Error launch_depthwise_any(const GpuArgs& args);

}  // namespace penult::kernels::cuda
