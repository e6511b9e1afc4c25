#include <utility>

#include "engine/base/text.h"
#include "engine/passes/passes.h"

namespace penult {
namespace {

struct Pass {
  const char* name;
  void (*run)(Graph&);
  bool fuses;  // left out of the "unfused native" graph
};

constexpr Pass kPasses[] = {
    // Nothing after the last tap may cost a pass, a weight or a byte.
    {"remove_dead", remove_dead, false},
    // Batchnorm before any fusion: an add or activation fused first would stand between the two.
    {"fold_batchnorm", fold_batchnorm, false},
    // The add before the activation, as an epilogue applies them; relu after add then fuses too.
    {"fuse_residual_add", fuse_residual_add, true},
    // Activations last: they close a producer's epilogue.
    {"fuse_activation", fuse_activation, true},
};

}  // namespace

Status run_passes(Graph& graph, std::vector<ValueId> outputs, const PassOptions& options) {
  // Truncate first: the taps asked for become outputs, hence barriers for all that follows.
  graph.outputs = std::move(outputs);
  for (const Pass& pass : kPasses) {
    if (pass.fuses && !options.fuse) continue;
    pass.run(graph);
    if (const Status status = validate(graph); !status.ok()) {
      return {StatusCode::kInternal, concat("pass ", pass.name, ": ", status.message())};
    }
  }
  return {};
}

}  // namespace penult
