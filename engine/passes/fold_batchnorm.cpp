// Before:  x -> conv -> v -> batchnorm -> y       After:  x -> conv(folded) -> y
//
// If v is an output or has other readers, it is computed on the side, with its own weights:
//          x -> conv -> v (output)
//          x -> conv(folded) -> y
// so that y has the same bits whether v was asked for or not.
// Blocked if the producer does not fold, or something was fused into it already. The numbers are
// folded in double when weights are packed (engine/plan/fold_weights.h).

#include <utility>

#include "engine/ops/op.h"
#include "engine/passes/passes.h"
#include "engine/passes/uses.h"

namespace penult {
namespace {

bool can_fold_into(const Node& producer) {
  return producer.op->folds_batchnorm && !producer.fused.batchnorm &&
         producer.fused.residual == kNoValue && producer.fused.activation == Activation{};
}

FoldedBatchnorm folded(const Node& batchnorm) {
  return {.gamma = batchnorm.weights[0],
          .beta = batchnorm.weights[1],
          .mean = batchnorm.weights[2],
          .var = batchnorm.weights[3],
          .eps = batchnorm.resolved.get_float("eps")};
}

}  // namespace

void fold_batchnorm(Graph& graph) {
  Uses uses(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes.size()); ++i) {
    if (graph.nodes[i].op != &kBatchnorm) continue;
    const ValueId between = graph.nodes[i].inputs[0];
    const int producer = uses.producer(between);
    if (producer < 0 || !can_fold_into(graph.nodes[producer])) continue;
    const bool side_value_wanted = uses.sole_reader(between) != i;
    // The convolution takes the batchnorm's place, where all its inputs are known too.
    Node conv = graph.nodes[producer];
    conv.fused.batchnorm = folded(graph.nodes[i]);
    conv.name = graph.nodes[i].name;
    conv.output = graph.nodes[i].output;
    replace(graph, uses, i, std::move(conv));
    if (!side_value_wanted) retire(graph, uses, producer);
  }
  drop_retired(graph);
}

}  // namespace penult
