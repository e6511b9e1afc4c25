#pragma once

#include <span>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/graph/graph.h"

namespace penult {

// A node's weights by slot, in the source's order, with its batchnorm folded in.
struct NodeWeights {
  std::vector<std::span<const float>> slots;  // into `room`; empty: not given
  AlignedBuffer room;
};

// Bytes of the node's slots.
uint64_t folded_weights_bytes(const Graph& graph, const Node& node);

// Reads the node's tensors and, if a batchnorm was folded into it, computes in double
//   scale = gamma / sqrt(var + eps);  weight'[oc,...] = weight[oc,...] * scale[oc];
//   bias'[oc] = beta[oc] + (bias[oc] - mean[oc]) * scale[oc]
// (Ioffe and Szegedy 2015, inference form), rounding once to float. Slot 1 then always exists.
// What `weights` held is lost, its room is used again if it has about the size.
// Errors: those of the weight source; ModelInvalid if a variance + eps is not positive;
// OutOfMemory.
Status load_folded_weights(const Graph& graph, const Node& node, NodeWeights& weights);

}  // namespace penult
