// Before:  x -> conv -> v -> relu -> y         After:  x -> conv(relu) -> y
//
// Blocked if v is an output or has another reader, or if the producer already has an activation.
// Bits: the epilogue applies the same operations as the activation's own kernel.

#include <utility>

#include "engine/ops/op.h"
#include "engine/passes/passes.h"
#include "engine/passes/uses.h"

namespace penult {

void fuse_activation(Graph& graph) {
  Uses uses(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& node = graph.nodes[i];
    if (node.op->activation == nullptr || node.inputs.empty()) continue;
    const int producer = uses.producer(node.inputs[0]);
    if (producer < 0 || uses.sole_reader(node.inputs[0]) != i) continue;
    Node target = graph.nodes[producer];
    if (!target.op->takes_epilogue || target.fused.activation != Activation{}) continue;
    target.fused.activation = node.op->activation(node.resolved);
    target.name = node.name;
    target.output = node.output;
    retire(graph, uses, i);
    replace(graph, uses, producer, std::move(target));
  }
  drop_retired(graph);
}

}  // namespace penult
