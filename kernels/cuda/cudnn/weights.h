#pragma once

// Packed weights as the two libraries read them. Host memory, copied to the device as it is.

#include <cstddef>
#include <cstdint>

#include "kernels/kernel.h"

namespace penult::kernels::cudnn {

struct PackedWeights {
  Precision precision;
  int64_t oc, ic, kh, kw;  // as in the model, without padding; ic for each group
  // Weights as [padded(oc)][kh][kw]; else those of cuda::OhwiWeights,
  // [padded(oc)][kh][kw][padded(ic)].
  bool depthwise;
  Precision bias;

  size_t bias_offset() const;  // bytes; there lies [padded(oc)], zeros if the model has none
  size_t bytes() const;
  Status pack(Weights& weights, std::byte* packed) const;
};

PackedWeights packed_convolution(const Problem& problem, Precision precision);
// Of linear, and of conv2d as a product of matrices: cuBLASLt wants the bias in dst's precision.
PackedWeights packed_product(const Problem& problem, Precision precision);

}  // namespace penult::kernels::cudnn
