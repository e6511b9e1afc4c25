// Before:  x -> global_avg_pool -> linear -> linear -> f       After:  x -> squeeze_excitation -> f
//          x, f -> mul                                                 x, f -> mul
//
// Only where f scales the very map that it is made of, for a head of two layers looks the same and
// is too large for what computes this. Blocked if anything in between is an output, has another
// reader or a residual, or if a layer has a batchnorm.
// Bits: not those of the three kernels, whose sums a device forms in another order.

#include <algorithm>
#include <utility>

#include "engine/ops/op.h"
#include "engine/passes/passes.h"
#include "engine/passes/uses.h"

namespace penult {
namespace {

// The only reader of `value`, if it is a linear layer that can go into the block; else -1.
int layer_behind(const Graph& graph, const Uses& uses, ValueId value) {
  const int reader = uses.sole_reader(value);
  if (reader < 0) return -1;
  const Node& node = graph.nodes[reader];
  const bool fits = node.op == &kLinear && !node.fused.batchnorm &&
                    node.fused.residual == kNoValue && node.inputs[0] == value;
  return fits ? reader : -1;
}

bool scales(const Graph& graph, const Uses& uses, ValueId factors, ValueId map) {
  const int reader = uses.sole_reader(factors);
  if (reader < 0 || graph.nodes[reader].op != &kMul) return false;
  const std::vector<ValueId>& inputs = graph.nodes[reader].inputs;
  return std::find(inputs.begin(), inputs.end(), map) != inputs.end();
}

}  // namespace

void fuse_squeeze_excitation(Graph& graph) {
  Uses uses(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    const Node& pool = graph.nodes[i];
    if (pool.op != &kGlobalAvgPool) continue;
    const int squeeze = layer_behind(graph, uses, pool.output);
    if (squeeze < 0) continue;
    const int excite = layer_behind(graph, uses, graph.nodes[squeeze].output);
    if (excite < 0 || !scales(graph, uses, graph.nodes[excite].output, pool.inputs[0])) continue;
    const Node& first = graph.nodes[squeeze];
    Node block = graph.nodes[excite];
    block.op = &kSqueezeExcitation;
    block.inputs = pool.inputs;
    block.weights.insert(block.weights.begin(), first.weights.begin(), first.weights.end());
    block.fused.squeeze = first.fused.activation;
    retire(graph, uses, i);
    retire(graph, uses, squeeze);
    replace(graph, uses, excite, std::move(block));
  }
  drop_retired(graph);
}

}  // namespace penult
