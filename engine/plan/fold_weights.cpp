#include "engine/plan/fold_weights.h"

#include <cmath>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult {
namespace {

Result<std::vector<float>> read_weight(const Graph& graph, WeightId id) {
  std::vector<float> values(graph.weights[id].elems());
  PENULT_RETURN_IF_ERROR(graph.source->read(id, values));
  return values;
}

Status fold(const Graph& graph, const Node& node, NodeWeights& weights) {
  const FoldedBatchnorm& bn = *node.fused.batchnorm;
  PENULT_ASSIGN_OR_RETURN(const auto gamma, read_weight(graph, bn.gamma));
  PENULT_ASSIGN_OR_RETURN(const auto beta, read_weight(graph, bn.beta));
  PENULT_ASSIGN_OR_RETURN(const auto mean, read_weight(graph, bn.mean));
  PENULT_ASSIGN_OR_RETURN(const auto var, read_weight(graph, bn.var));
  std::vector<float>& weight = weights.slots[0];
  std::vector<float>& bias = weights.slots[1];
  const size_t oc = gamma.size(), per_channel = weight.size() / oc;
  if (bias.empty()) bias.assign(oc, 0.0f);
  for (size_t c = 0; c < oc; ++c) {
    const double denominator = static_cast<double>(var[c]) + static_cast<double>(bn.eps);
    if (!(denominator > 0)) {
      return Status(StatusCode::kModelInvalid,
                    concat("node ", quote(node.name), ": batchnorm variance + eps of channel ", c,
                           " is ", denominator, ", expected > 0"));
    }
    const double scale = static_cast<double>(gamma[c]) / std::sqrt(denominator);
    for (size_t i = 0; i < per_channel; ++i) {
      float& w = weight[c * per_channel + i];
      w = static_cast<float>(static_cast<double>(w) * scale);
    }
    bias[c] =
        static_cast<float>(static_cast<double>(beta[c]) +
                           (static_cast<double>(bias[c]) - static_cast<double>(mean[c])) * scale);
  }
  return {};
}

}  // namespace

Result<NodeWeights> load_folded_weights(const Graph& graph, const Node& node) {
  NodeWeights weights;
  for (const WeightId id : node.weights) {
    if (id == kNoWeight) {
      weights.slots.emplace_back();
      continue;
    }
    PENULT_ASSIGN_OR_RETURN(auto values, read_weight(graph, id));
    weights.slots.push_back(std::move(values));
  }
  if (node.fused.batchnorm) PENULT_RETURN_IF_ERROR(fold(graph, node, weights));
  return weights;
}

}  // namespace penult
