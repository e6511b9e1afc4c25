#include "engine/passes/uses.h"

#include <algorithm>

namespace penult {

Uses::Uses(const Graph& graph)
    : producer_(graph.values.size(), -1),
      readers_(graph.values.size(), 0),
      reader_sum_(graph.values.size(), 0),
      is_output_(graph.values.size(), false) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) put_in(graph.nodes[i], static_cast<int>(i));
  for (const ValueId output : graph.outputs) is_output_[static_cast<size_t>(output)] = true;
}

int Uses::sole_reader(ValueId value) const {
  const auto v = static_cast<size_t>(value);
  return is_output_[v] || readers_[v] != 1 ? -1 : static_cast<int>(reader_sum_[v]);
}

void Uses::take_out(const Node& node, int index) {
  if (node.output != kNoValue) producer_[static_cast<size_t>(node.output)] = -1;
  count(node, index, -1);
}

void Uses::put_in(const Node& node, int index) {
  if (node.output != kNoValue) producer_[static_cast<size_t>(node.output)] = index;
  count(node, index, 1);
}

// A node that reads a value twice is one reader.
void Uses::count(const Node& node, int index, int sign) {
  std::vector<ValueId> read = node.inputs;
  if (node.fused.residual != kNoValue) read.push_back(node.fused.residual);
  std::sort(read.begin(), read.end());
  read.erase(std::unique(read.begin(), read.end()), read.end());
  for (const ValueId value : read) {
    readers_[static_cast<size_t>(value)] += sign;
    reader_sum_[static_cast<size_t>(value)] += int64_t{sign} * index;
  }
}

}  // namespace penult
