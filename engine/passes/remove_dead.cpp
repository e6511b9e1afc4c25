// Before:  input -> a -> b (output)      After:  input -> a -> b (output)
//                    \-> c -> d
// Blocked by nothing: what no output needs is never computed, loaded or allocated.

#include "engine/passes/passes.h"

namespace penult {

void remove_dead(Graph& graph) {
  std::vector<bool> live(graph.values.size(), false);
  for (const ValueId output : graph.outputs) live[output] = true;
  for (size_t i = graph.nodes.size(); i-- > 0;) {  // consumers stand after producers
    Node& node = graph.nodes[i];
    if (!live[node.output]) {
      retire(node);
      continue;
    }
    for (const ValueId input : node.inputs) live[input] = true;
    if (node.fused.residual != kNoValue) live[node.fused.residual] = true;
  }
  drop_retired(graph);
}

}  // namespace penult
