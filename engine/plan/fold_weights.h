#pragma once

#include <vector>

#include "engine/graph/graph.h"

namespace penult {

// A node's weights by slot, in the source's order, with its batchnorm folded in.
struct NodeWeights {
  std::vector<std::vector<float>> slots;  // empty: not given
};

// Reads the node's tensors and, if a batchnorm was folded into it, computes in double
//   scale = gamma / sqrt(var + eps);  weight'[oc,...] = weight[oc,...] * scale[oc];
//   bias'[oc] = beta[oc] + (bias[oc] - mean[oc]) * scale[oc]
// (Ioffe and Szegedy 2015, inference form), rounding once to float. Slot 1 then always exists.
// Errors: those of the weight source; ModelInvalid if a variance + eps is not positive.
Result<NodeWeights> load_folded_weights(const Graph& graph, const Node& node);

}  // namespace penult
