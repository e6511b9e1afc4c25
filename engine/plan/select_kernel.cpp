#include <utility>

#include "engine/base/text.h"
#include "engine/ops/op.h"
#include "engine/plan/plan.h"

namespace penult {
namespace {

using kernels::Kernel;

struct Wanted {
  const PlanOptions& options;
  kernels::NumericClass numeric_class;
};

std::string refusal(const Kernel& kernel, const Wanted& wanted, const kernels::Problem& problem) {
  if (kernel.backend == kernels::Backend::kNative && kernel.numeric_class != wanted.numeric_class) {
    return concat("the layer's numeric class is ", numeric_class_name(wanted.numeric_class));
  }
  return kernel.declines(problem);
}

// A library's kernels, where a module has both, only for those who ask for the library.
bool may_use(const Kernel& kernel, const PlanOptions& options) {
  const bool is_ours =
      kernel.backend == kernels::Backend::kNative || kernel.backend == kernels::Backend::kReference;
  return kernel.isa <= options.isa && kernel.precision == options.precision &&
         (is_ours || kernel.backend == options.backend);
}

// Null if no kernel accepts; step.refusals says why not.
const Kernel* first_acceptor(std::span<const kernels::Table> tables, const Wanted& wanted,
                             Step& step) {
  for (const kernels::Table& table : tables) {
    if (table.op != step.problem.op) continue;
    for (const Kernel& kernel : table.kernels) {
      if (!may_use(kernel, wanted.options)) continue;
      std::string reason = refusal(kernel, wanted, step.problem);
      if (reason.empty()) return &kernel;
      step.refusals.push_back(concat(kernel.name, ": ", reason));
    }
  }
  return nullptr;
}

const Kernel* first_acceptor(const kernels::BackendModule* module, const Wanted& wanted,
                             Step& step) {
  if (module != nullptr) {
    const Kernel* kernel = first_acceptor(module->tables, wanted, step);
    if (kernel != nullptr) return kernel;
    if (step.refusals.empty()) {
      step.refusals.push_back(concat(module->library, ": no kernel for ", step.problem.op));
    }
  }
  if (wanted.options.device != kernels::DeviceKind::kCpu) return nullptr;
  return first_acceptor(kernels::all_tables(), wanted, step);
}

Status no_kernel(const Node& node, const Step& step) {
  std::string reasons;
  for (const std::string& refusal : step.refusals) reasons += "; " + refusal;
  return Status(StatusCode::kModelInvalid, concat("node ", quote(node.name), " (", node.op->name,
                                                  "): no kernel can run it", reasons));
}

}  // namespace

kernels::Problem describe(const Graph& graph, const Node& node) {
  kernels::Problem problem;
  problem.op = node.op->name;
  problem.function = node.fused.squeeze;
  if (node.op->activation != nullptr) {
    problem.op = "activation";
    problem.function = node.op->activation(node.resolved);
  }
  for (const ValueId input : node.inputs) {
    problem.src.push_back({.shape = graph.values[input].shape});
  }
  problem.dst.shape = graph.values[node.output].shape;
  problem.attrs = node.resolved;
  problem.epilogue.activation = node.fused.activation;
  if (node.fused.residual != kNoValue) {
    problem.epilogue.residual = true;
    problem.residual.shape = graph.values[node.fused.residual].shape;
  }
  problem.weight_dims = graph.weight_dims(node);
  if (node.fused.batchnorm) problem.weight_dims[1] = graph.weights[node.fused.batchnorm->beta].dims;
  return problem;
}

Result<std::vector<Step>> select_kernels(const Graph& graph, const PlanOptions& options,
                                         const kernels::BackendModule* module) {
  std::vector<Step> steps;
  for (const Node& node : graph.nodes) {
    Step step;
    step.name = node.name;
    step.problem = describe(graph, node);
    const bool has_table = options.device == kernels::DeviceKind::kCpu;
    const Wanted wanted{
        options, has_table ? kernels::numeric_class(step.problem, options.isa, options.numerics)
                           : kernels::NumericClass::kDirect};
    step.kernel = first_acceptor(module, wanted, step);
    if (step.kernel == nullptr) return no_kernel(node, step);
    for (const ValueId input : node.inputs) step.src.push_back(input);
    step.residual = node.fused.residual;
    step.dst = node.output;
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace penult
