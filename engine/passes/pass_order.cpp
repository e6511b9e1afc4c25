#include <utility>

#include "engine/passes/passes.h"

namespace penult {

void run_passes(Graph& graph, std::vector<ValueId> outputs, const PassOptions& options) {
  // 1. Truncate first: the taps asked for become outputs, hence barriers for all that follows.
  graph.outputs = std::move(outputs);
  // 2. Nothing after the last tap may cost a pass, a weight or a byte.
  remove_dead(graph);
  // 3. Batchnorm before any fusion: an add or activation fused first would stand between the two.
  fold_batchnorm(graph);
  if (!options.fuse) return;
  // 4. The add before the activation, as an epilogue applies them; relu after add then fuses too.
  fuse_residual_add(graph);
  // 5. Activations last: they close a producer's epilogue.
  fuse_activation(graph);
}

}  // namespace penult
