#include <vector>

#include "engine/passes/passes.h"

namespace penult {

int sole_consumer(const Graph& graph, ValueId value) {
  if (graph.is_output(value)) return -1;
  const std::vector<int> readers = graph.consumers(value);
  return readers.size() == 1 ? readers[0] : -1;
}

void retire(Node& node) {
  node.inputs.clear();
  node.fused.residual = kNoValue;
  node.output = kNoValue;
}

void drop_retired(Graph& graph) {
  std::erase_if(graph.nodes, [](const Node& node) { return node.output == kNoValue; });
}

}  // namespace penult
