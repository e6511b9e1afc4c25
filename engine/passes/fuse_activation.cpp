// Before:  x -> conv -> v -> relu -> y         After:  x -> conv(relu) -> y
//
// Blocked if v is an output or has another reader, or if the producer already has an activation.
// Bits: the epilogue applies the same operations as the activation's own kernel.

#include "engine/ops/op.h"
#include "engine/passes/passes.h"

namespace penult {

void fuse_activation(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& node = graph.nodes[i];
    if (node.op->activation == nullptr || node.inputs.empty()) continue;
    const ValueId value = node.inputs[0];
    const int producer = graph.producer(value);
    if (producer < 0 || sole_consumer(graph, value) != static_cast<int>(i)) continue;
    Node& target = graph.nodes[producer];
    if (!target.op->takes_epilogue || target.fused.activation != Activation{}) continue;
    target.fused.activation = node.op->activation(node.resolved);
    target.name = node.name;
    target.output = node.output;
    retire(node);
  }
  drop_retired(graph);
}

}  // namespace penult
