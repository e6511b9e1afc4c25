#include "engine/plan/fold_weights.h"

#include <algorithm>
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

// Elements of each slot.
std::vector<size_t> slot_elems(const Graph& graph, const Node& node) {
  std::vector<size_t> elems;
  for (const WeightId id : node.weights)
    elems.push_back(id == kNoWeight ? 0 : static_cast<size_t>(graph.weights[id].elems()));
  if (node.fused.batchnorm)
    elems[1] = static_cast<size_t>(graph.weights[node.fused.batchnorm->gamma].elems());
  return elems;
}

// Fresh memory costs as much time as what is done with it, so a room is kept from node to node; but
// not one much too large, which would count while smaller tensors are unpacked.
Status make_room(uint64_t bytes, AlignedBuffer& room) {
  if (room.bytes() >= bytes && room.bytes() / 2 <= bytes) return {};
  room = AlignedBuffer();
  PENULT_ASSIGN_OR_RETURN(room, AlignedBuffer::allocate(bytes));
  return {};
}

Status fold(const Graph& graph, const Node& node, std::span<float> weight, std::span<float> bias) {
  const FoldedBatchnorm& bn = *node.fused.batchnorm;
  PENULT_ASSIGN_OR_RETURN(const auto gamma, read_weight(graph, bn.gamma));
  PENULT_ASSIGN_OR_RETURN(const auto beta, read_weight(graph, bn.beta));
  PENULT_ASSIGN_OR_RETURN(const auto mean, read_weight(graph, bn.mean));
  PENULT_ASSIGN_OR_RETURN(const auto var, read_weight(graph, bn.var));
  const size_t oc = gamma.size(), per_channel = weight.size() / oc;
  if (node.weights[1] == kNoWeight) std::fill(bias.begin(), bias.end(), 0.0F);
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

uint64_t folded_weights_bytes(const Graph& graph, const Node& node) {
  uint64_t bytes = 0;
  for (const size_t elems : slot_elems(graph, node)) bytes += elems * sizeof(float);
  return bytes;
}

Status load_folded_weights(const Graph& graph, const Node& node, NodeWeights& weights) {
  PENULT_RETURN_IF_ERROR(make_room(folded_weights_bytes(graph, node), weights.room));
  std::vector<std::span<float>> slots;
  float* place = weights.room.floats();
  for (const size_t elems : slot_elems(graph, node)) {
    slots.emplace_back(place, elems);
    place += elems;
  }
  weights.slots.assign(slots.begin(), slots.end());
  for (size_t slot = 0; slot < node.weights.size(); ++slot) {
    if (node.weights[slot] == kNoWeight) continue;
    PENULT_RETURN_IF_ERROR(graph.source->read(node.weights[slot], slots[slot]));
  }
  if (node.fused.batchnorm) PENULT_RETURN_IF_ERROR(fold(graph, node, slots[0], slots[1]));
  return {};
}

}  // namespace penult
