#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"
#include "engine/plan/plan.h"

namespace penult {
namespace {

using kernels::Kernel;

struct Wanted {
  const PlanOptions& options;
  kernels::NumericClass numeric_class;
  const Kernel* behind = nullptr;  // if not null, only rows that stand behind it
};

Wanted wanted_for(const kernels::Problem& problem, const PlanOptions& options) {
  const bool has_table = options.device == kernels::DeviceKind::kCpu;
  return {options, has_table ? kernels::numeric_class(problem, options.isa, options.numerics)
                             : kernels::NumericClass::kDirect};
}

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
  bool asks = wanted.behind == nullptr;
  for (const kernels::Table& table : tables) {
    if (table.op != step.problem.op) continue;
    for (const Kernel& kernel : table.kernels) {
      if (!asks) {
        asks = &kernel == wanted.behind;
        continue;
      }
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

Status no_kernel(std::string_view op, const Step& step) {
  std::string reasons;
  for (const std::string& refusal : step.refusals) reasons += "; " + refusal;
  return Status(StatusCode::kModelInvalid,
                concat("node ", quote(step.name), " (", op, "): no kernel can run it", reasons));
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
    step.kernel = first_acceptor(module, wanted_for(step.problem, options), step);
    if (step.kernel == nullptr) return no_kernel(node.op->name, step);
    for (const ValueId input : node.inputs) step.src.push_back(input);
    step.residual = node.fused.residual;
    step.dst = node.output;
    steps.push_back(std::move(step));
  }
  return steps;
}

// The next row gets the problem with the strides and halos that were chosen for the one before. On
// a device that is safe: all rows of its module want the same layout, dense and without halos
// (kernels/cuda/row.h; the module's tests hold them to it). On the processor each row has its own.
Status prepare_kernels(const PlanOptions& options, const kernels::BackendModule* module,
                       std::vector<Step>& steps) {
  for (Step& step : steps) {
    while (step.kernel->prepare != nullptr) {
      auto prepared = step.kernel->prepare(
          {.problem = step.problem, .max_batch = options.max_batch, .threads = options.threads});
      if (prepared.ok()) {
        step.prepared = std::move(prepared).value();
        break;
      }
      const Status& why = prepared.status();
      const bool is_on_device = options.device != kernels::DeviceKind::kCpu;
      if (why.code() != kernels::kRefusesLayer || !is_on_device) return why;
      step.refusals.push_back(concat(step.kernel->name, ": ", why.message()));
      Wanted wanted = wanted_for(step.problem, options);
      wanted.behind = step.kernel;
      step.kernel = first_acceptor(module->tables, wanted, step);
      if (step.kernel == nullptr) return no_kernel(step.problem.op, step);
    }
  }
  return {};
}

}  // namespace penult
