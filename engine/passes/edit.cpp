#include <utility>
#include <vector>

#include "engine/passes/passes.h"
#include "engine/passes/uses.h"

namespace penult {

void retire(Node& node) {
  node.inputs.clear();
  node.fused.residual = kNoValue;
  node.output = kNoValue;
}

void drop_retired(Graph& graph) {
  std::erase_if(graph.nodes, [](const Node& node) { return node.output == kNoValue; });
}

void replace(Graph& graph, Uses& uses, int index, Node node) {
  uses.take_out(graph.nodes[index], index);
  graph.nodes[index] = std::move(node);
  uses.put_in(graph.nodes[index], index);
}

void retire(Graph& graph, Uses& uses, int index) {
  uses.take_out(graph.nodes[index], index);
  retire(graph.nodes[index]);
}

}  // namespace penult
