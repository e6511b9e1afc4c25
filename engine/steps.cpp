#include "engine/steps.h"

#include <algorithm>

namespace penult {
namespace {

// The step after which each of the model's values has been computed, -1 if none computes it. A
// value that fusion made disappear had one reader that is still needed: the step that yields what
// became of that one contains both.
std::vector<int> find_steps(const Graph& graph, const Plan& plan) {
  std::vector<int> own(graph.values.size(), -1);
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const int dst = plan.steps[s].dst;  // values beyond the model's are poolings for a tap
    if (dst >= 0 && dst < static_cast<int>(own.size())) own[dst] = static_cast<int>(s);
  }
  std::vector<int> steps = own;
  for (size_t i = graph.nodes.size(); i-- > 0;) {  // readers stand after producers
    const Node& node = graph.nodes[i];
    for (const ValueId input : node.inputs) {
      if (own[input] < 0) steps[input] = std::max(steps[input], steps[node.output]);
    }
  }
  return steps;
}

const char* kernel_name(const Step& step) {
  switch (step.kind) {
    case Step::Kind::kInput:
      return "copy_input";
    case Step::Kind::kDeliver:
      return "deliver";
    case Step::Kind::kKernel:
      break;
  }
  return step.kernel->name;
}

}  // namespace

std::vector<StepInfo> describe_steps(const ModelData& model, const Plan& plan) {
  std::vector<StepInfo> infos;
  for (const Step& step : plan.steps) {
    infos.push_back({.name = step.name,
                     .kernel = kernel_name(step),
                     .taps = {},
                     .declined = step.refusals,
                     .macs = step.kernel ? step.kernel->macs(step.problem) : 0});
  }
  const std::vector<int> steps = find_steps(model.graph, plan);
  for (const Tap& tap : model.taps) {
    if (steps[tap.value] >= 0) infos[steps[tap.value]].taps.push_back(tap.name);
  }
  return infos;
}

}  // namespace penult
