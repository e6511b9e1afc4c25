#include <utility>

#include "engine/base/text.h"
#include "engine/passes/passes.h"

namespace penult {
namespace {

struct Pass {
  const char* name;
  void (*run)(Graph&);
  bool (*wanted)(const PassOptions&);
};

bool always(const PassOptions&) { return true; }
bool fuses(const PassOptions& options) { return options.fuse; }
bool fuses_scale(const PassOptions& options) { return options.fuse && options.fuse_scale; }
bool fuses_squeeze(const PassOptions& options) {
  return options.fuse && options.fuse_squeeze_excitation;
}

constexpr Pass kPasses[] = {
    // Nothing after the last tap may cost a pass, a weight or a byte.
    {"remove_dead", remove_dead, always},
    // Batchnorm before any fusion: an add or activation fused first would stand between the two.
    {"fold_batchnorm", fold_batchnorm, always},
    // The add before the activation, as an epilogue applies them; relu after add then fuses too.
    {"fuse_residual_add", fuse_residual_add, fuses},
    // Activations last: they close a producer's epilogue.
    {"fuse_activation", fuse_activation, fuses},
    // After the activations, one of which may belong to the product and then blocks this.
    {"fuse_scale", fuse_scale, fuses_scale},
    // After the activations, which belong to its layers.
    {"fuse_squeeze_excitation", fuse_squeeze_excitation, fuses_squeeze},
};

}  // namespace

Status run_passes(Graph& graph, std::vector<ValueId> outputs, const PassOptions& options) {
  // Truncate first: the taps asked for become outputs, hence barriers for all that follows.
  graph.outputs = std::move(outputs);
  for (const Pass& pass : kPasses) {
    if (!pass.wanted(options)) continue;
    pass.run(graph);
    if (const Status status = validate(graph); !status.ok()) {
      return {StatusCode::kInternal, concat("pass ", pass.name, ": ", status.message())};
    }
  }
  return {};
}

}  // namespace penult
