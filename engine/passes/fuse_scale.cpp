// Before:  x ------ \                           After:  x, f -> conv(x * f) -> y
//                    mul -> v -> conv -> y
//          f ------ /
// with f one factor for each channel: the end of a squeeze-and-excitation block. Blocked if v is an
// output, has another reader or an epilogue; or if the convolution does not take a scale. The map
// x * f is then never written to memory.
// Bits: the convolution rounds x * f to float before it goes on, as if it came from memory.

#include <utility>

#include "engine/ops/node_args.h"
#include "engine/passes/passes.h"
#include "engine/passes/uses.h"

namespace penult {
namespace {

bool accepts_inputs(const Graph& graph, const Node& node) {
  return node.op->infer(NodeArgs(graph, node).with(node.resolved)).ok();
}

}  // namespace

void fuse_scale(Graph& graph) {
  Uses uses(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& mul = graph.nodes[i];
    const bool has_epilogue =
        mul.fused.residual != kNoValue || mul.fused.activation != Activation{};
    if (mul.op != &kMul || has_epilogue) continue;
    const int reader = uses.sole_reader(mul.output);
    if (reader < 0) continue;
    Node conv = graph.nodes[reader];
    if (!conv.op->takes_scale || conv.inputs.size() != 1 || conv.fused.residual == mul.output) {
      continue;
    }
    // The map is whichever makes sense; of two equal shapes the first.
    conv.inputs = {mul.inputs[0], mul.inputs[1]};
    if (!accepts_inputs(graph, conv)) std::swap(conv.inputs[0], conv.inputs[1]);
    if (!accepts_inputs(graph, conv)) continue;
    retire(graph, uses, i);
    replace(graph, uses, reader, std::move(conv));
  }
  drop_retired(graph);
}

}  // namespace penult
