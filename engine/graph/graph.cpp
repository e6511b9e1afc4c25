#include "engine/graph/graph.h"

#include <algorithm>
#include <utility>

#include "engine/ops/op.h"

namespace penult {

uint64_t WeightInfo::elems() const {
  uint64_t product = 1;
  for (const int64_t dim : dims) product *= static_cast<uint64_t>(dim);
  return product;
}

ValueId Graph::add_value(std::string name, Shape shape) {
  values.push_back({std::move(name), shape});
  return static_cast<ValueId>(values.size()) - 1;
}

ValueId Graph::add_node(const OpDef& op, std::string name, std::vector<ValueId> node_inputs,
                        std::vector<WeightId> node_weights, Attributes attrs) {
  const ValueId output = add_value(name);
  // Trailing optional weights may be left out.
  if (node_weights.size() < op.weights.size()) node_weights.resize(op.weights.size(), kNoWeight);
  nodes.push_back({.name = std::move(name),
                   .op = &op,
                   .attrs = std::move(attrs),
                   .resolved = {},
                   .inputs = std::move(node_inputs),
                   .weights = std::move(node_weights),
                   .output = output,
                   .fused = {}});
  return output;
}

bool Graph::is_output(ValueId value) const {
  return std::find(outputs.begin(), outputs.end(), value) != outputs.end();
}

std::vector<std::vector<int64_t>> Graph::weight_dims(const Node& node) const {
  std::vector<std::vector<int64_t>> dims;
  for (const WeightId id : node.weights) {
    dims.push_back(id == kNoWeight ? std::vector<int64_t>{}
                                   : weights[static_cast<size_t>(id)].dims);
  }
  return dims;
}

}  // namespace penult
