#pragma once

#include <vector>

#include "engine/graph/graph.h"
#include "engine/ops/op.h"

namespace penult {

// What an operator sees of one of its nodes, once the shapes of the inputs are known.
class NodeArgs {
 public:
  NodeArgs(const Graph& graph, const Node& node) : weight_dims_(graph.weight_dims(node)) {
    for (const ValueId id : node.inputs) {
      inputs_.push_back(graph.values[static_cast<size_t>(id)].shape);
    }
  }
  // Valid as long as this object and `attrs`.
  OpArgs with(const Attributes& attrs) const {
    return {.attrs = attrs, .inputs = inputs_, .weight_dims = weight_dims_};
  }

 private:
  std::vector<Shape> inputs_;
  std::vector<std::vector<int64_t>> weight_dims_;
};

}  // namespace penult
