#pragma once

// dst[n,oc] = epilogue(b2[oc] + sum_sc weights2[oc,sc] * f(b1[sc] + sum_c weights1[sc,c] *
// mean_hw src[n,h,w,c])) on the GPU, f being Problem::function: engine/ops/squeeze_excitation.cpp.
// What lies between map and result stays in f32 and in a multiprocessor. An image's sums have one
// order, whatever the batch.

#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

extern const Table kSqueezeExcitationCudaTable;

// Packed: the first layer's weights and bias, and at second_layer_offset() the second one's.
struct SqueezeExcitationWeights {
  OhwiWeights squeeze, excite;

  static SqueezeExcitationWeights of(const Problem& problem, Precision precision);
  size_t second_layer_offset() const;
  size_t bytes() const { return second_layer_offset() + excite.bytes(); }
  Status pack(Weights& weights, std::byte* packed) const;
};

// Of shared memory for a block.
size_t squeeze_excitation_shared_bytes(const Problem& problem);

// T: float or gpu::Half.
template <class T>
gpu::Error launch_squeeze_excitation(const GpuArgs& args);

}  // namespace penult::kernels::cuda
