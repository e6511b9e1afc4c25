#pragma once

// Graphs of a few nodes, for tests of graph, operators and passes.

#include <string>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/ops/op.h"

namespace penult {

struct SmallGraph {
  SmallGraph() { graph.input = graph.add_value("input"); }

  WeightId weight(std::vector<int64_t> dims) {
    graph.weights.push_back({"w" + std::to_string(graph.weights.size()), std::move(dims)});
    return static_cast<WeightId>(graph.weights.size()) - 1;
  }
  ValueId conv(std::string name, ValueId src, std::vector<int64_t> dims, int64_t stride = 1,
               Attributes attrs = {}) {
    attrs.set("strides", {stride, stride});
    return graph.add_node(kConv2d, std::move(name), {src}, {weight(std::move(dims))}, attrs);
  }
  ValueId batchnorm(std::string name, ValueId src, int64_t c) {
    std::vector<WeightId> weights;
    for (int i = 0; i < 4; ++i) weights.push_back(weight({c}));
    Attributes attrs;
    attrs.set_float("eps", 1e-5f);
    return graph.add_node(kBatchnorm, std::move(name), {src}, std::move(weights), attrs);
  }
  ValueId relu(std::string name, ValueId src) {
    return graph.add_node(kRelu, std::move(name), {src});
  }
  ValueId add(std::string name, ValueId a, ValueId b) {
    return graph.add_node(kAdd, std::move(name), {a, b});
  }
  const Shape& shape(ValueId value) const { return graph.values[static_cast<size_t>(value)].shape; }

  Graph graph;
};

}  // namespace penult
