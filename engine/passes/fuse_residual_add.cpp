// Before:  x -> conv -> v \                    After:  x -> conv(+ r) -> y
//                          add -> y
//          r ------------ /
// Blocked if v is an output, has another reader, or is r as well; or if the convolution already has
// a residual or an activation. The convolution moves to the place of the add, where r is known.
// Bits: v + r is the same rounding whether v passed through memory or not.

#include <algorithm>
#include <utility>

#include "engine/ops/op.h"
#include "engine/passes/passes.h"
#include "engine/passes/uses.h"

namespace penult {
namespace {

// Index of the node that can take the add `index` over from its input `side`, or -1.
int producer_to_fuse(const Graph& graph, const Uses& uses, int index, int side) {
  const Node& add = graph.nodes[index];
  const ValueId value = add.inputs[side];
  if (add.inputs[0] == add.inputs[1] || uses.sole_reader(value) != index) return -1;
  const int producer = uses.producer(value);
  if (producer < 0) return -1;
  const Node& node = graph.nodes[producer];
  const bool free = node.op->takes_epilogue && node.fused.residual == kNoValue &&
                    node.fused.activation == Activation{};
  return free ? producer : -1;
}

}  // namespace

void fuse_residual_add(Graph& graph) {
  Uses uses(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    if (graph.nodes[i].op != &kAdd || graph.nodes[i].fused.residual != kNoValue) continue;
    // Of two candidates the later one: it moves less far, so its input lives less long.
    const int first = producer_to_fuse(graph, uses, i, 0);
    const int second = producer_to_fuse(graph, uses, i, 1);
    const int producer = std::max(first, second);
    if (producer < 0) continue;
    Node conv = graph.nodes[producer];
    conv.fused.residual = graph.nodes[i].inputs[producer == first ? 1 : 0];
    conv.name = graph.nodes[i].name;
    conv.output = graph.nodes[i].output;
    retire(graph, uses, producer);
    replace(graph, uses, i, std::move(conv));
  }
  drop_retired(graph);
}

}  // namespace penult
