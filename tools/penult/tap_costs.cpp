#include "tools/penult/tap_costs.h"

#include <algorithm>
#include <map>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/text.h"
#include "engine/model/model_data.h"
#include "engine/network.h"
#include "engine/ops/window.h"
#include "engine/steps.h"
#include "tools/penult/signals.h"
#include "tools/penult/timing.h"

namespace penult::program {
namespace {

// A file can ask for anything; these are above what any network that is converted here needs at its
// own input size (ResNet-152: 515 taps of as many nodes, 12e9 operations, 240 MB of weights).
constexpr size_t kMaxPlannedNodes = size_t{1} << 19;  // over all taps, weighted; a second or so
constexpr size_t kNodesOfDoubleWeight = 2048;         // placing buffers is quadratic
constexpr size_t kMaxNodes = size_t{1} << 14;         // of one plan
constexpr double kMaxOperations = 20e9;               // in a run; as long
constexpr uint64_t kMaxActivationBytes = uint64_t{128} << 20;
constexpr uint64_t kMaxWeightBytes = uint64_t{1} << 30;

ExtractorOptions options_for(const TapInfo& tap) {
  ExtractorOptions options;
  options.taps = {tap.name};
  options.max_batch = 1;
  return options;
}

Status plan_every_tap(const std::shared_ptr<const Model>& model, const std::vector<TapInfo>& taps,
                      TapCosts& costs) {
  const size_t nodes = model->data().graph.nodes.size();
  if (taps.size() * nodes * (1 + nodes / kNodesOfDoubleWeight) > kMaxPlannedNodes) {
    costs.notes.push_back(concat("RAM is not computed: ", taps.size(), " taps of ", nodes,
                                 " nodes are too many to plan each"));
    return {};
  }
  size_t failed = 0;
  std::string first;
  for (size_t t = 0; t < taps.size(); ++t) {
    PENULT_RETURN_IF_ERROR(check_signals());
    const auto bytes = Extractor::planned_bytes(model, options_for(taps[t]));
    if (bytes.ok()) {
      costs.ram_bytes[t] = *bytes;
    } else if (failed++ == 0) {
      first = bytes.status().to_string();
    }
  }
  if (failed > 0) {
    costs.notes.push_back(
        concat(failed, failed == 1 ? " tap" : " taps", " cannot be run: ", first));
  }
  return {};
}

// Positions of the window of a pooling, 1 for all others: a convolution's windows are its weights.
double window_of(const kernels::Problem& problem) {
  const OpDef* op = find_op(problem.op);
  if (op == nullptr || op->windows == nullptr || !problem.weight_dims.empty()) return 1;
  std::vector<Shape> inputs;
  for (const kernels::TensorDesc& src : problem.src) inputs.push_back(src.shape);
  const Windows windows =
      op->windows({.attrs = problem.attrs, .inputs = inputs, .weight_dims = problem.weight_dims});
  return static_cast<double>(windows.rows.kernel * windows.columns.kernel);
}

// How much the step does, in multiply-adds of a vector kernel, padding included. Roughly: whatever
// is no matrix product waits for memory.
double operations(const Step& step) {
  constexpr double kElement = 16, kReference = 16;  // times as slow
  if (step.kernel == nullptr) return 0;
  const kernels::Problem& problem = step.problem;
  const double pixels = static_cast<double>(problem.dst.shape.h * problem.dst.shape.w);
  const double weights = static_cast<double>(step.kernel->packed_bytes(problem)) / sizeof(float);
  const auto elements_of = [](const kernels::TensorDesc& desc) {
    return static_cast<double>(desc.shape.h * desc.shape.w * desc.pixel_stride);
  };
  double elements = elements_of(problem.dst) * window_of(problem);
  for (const auto& src : problem.src) elements += elements_of(src);
  const bool reference = step.kernel->backend == kernels::Backend::kReference;
  return (reference ? kReference : 1) * (pixels * weights + kElement * elements);
}

// Empty, or why it would take too long or too much memory to run the plan.
std::string too_large(const Plan& plan) {
  double sum = 0;
  for (const Step& step : plan.steps) sum += operations(step);
  const uint64_t activations = plan.memory_bytes() - plan.packed_bytes;
  if (sum > kMaxOperations) {
    return concat("a run takes about ", static_cast<uint64_t>(sum / 1e9),
                  "e9 operations, the limit here is ", static_cast<uint64_t>(kMaxOperations / 1e9),
                  "e9; penult bench has none");
  }
  if (activations > kMaxActivationBytes || plan.packed_bytes > kMaxWeightBytes) {
    return concat("a run needs ", activations >> 20, " MiB of activations and ",
                  plan.packed_bytes >> 20, " MiB of weights, the limits here are ",
                  kMaxActivationBytes >> 20, " and ", kMaxWeightBytes >> 20,
                  "; penult bench has none");
  }
  return {};
}

Status measure_steps(const std::shared_ptr<const Model>& model, const std::vector<TapInfo>& taps,
                     TapCosts& costs) {
  PENULT_ASSIGN_OR_RETURN(auto extractor, Extractor::create(model, options_for(taps.back())));
  PENULT_ASSIGN_OR_RETURN(const StepTimes times,
                          time_steps(*extractor, 1, {.seconds = 0.7, .max_runs = 100}));
  costs.runs = times.runs;
  std::map<std::string_view, double> ms;
  for (size_t s = 0; s < costs.steps.size(); ++s) {
    for (const std::string& tap : costs.steps[s].taps) ms[tap] = times.cumulative_ms[s];
  }
  for (size_t t = 0; t < taps.size(); ++t) {
    if (const auto found = ms.find(taps[t].name); found != ms.end()) costs.ms[t] = found->second;
  }
  if (ms.size() < taps.size()) {
    costs.notes.push_back(concat("ms is missing for ", taps.size() - ms.size(),
                                 " taps that the last one does not need"));
  }
  return {};
}

Status plan_last_tap(const std::shared_ptr<const Model>& model, const std::vector<TapInfo>& taps,
                     bool measure, TapCosts& costs) {
  const size_t nodes = model->data().graph.nodes.size();
  if (nodes > kMaxNodes) {
    return {StatusCode::kLimitExceeded,
            concat(nodes, " nodes, the limit here is ", kMaxNodes, "; penult bench has none")};
  }
  PENULT_ASSIGN_OR_RETURN(const auto cache, NetworkCache::create(model, options_for(taps.back())));
  PENULT_ASSIGN_OR_RETURN(const Plan plan,
                          cache->lay_out({.h = model->input_h(), .w = model->input_w()}));
  costs.steps = describe_steps(model->data(), plan);
  if (!measure) return {};
  if (const std::string why = too_large(plan); !why.empty()) {
    return {StatusCode::kLimitExceeded, why};
  }
  return measure_steps(model, taps, costs);
}

}  // namespace

Result<TapCosts> find_tap_costs(const std::shared_ptr<const Model>& model,
                                const std::vector<TapInfo>& taps, bool measure, bool steps) {
  TapCosts costs;
  PENULT_ASSIGN_OR_RETURN(const Isa isa, usable_isa());
  costs.isa = isa_name(isa);
  costs.ram_bytes.resize(taps.size());
  costs.ms.resize(taps.size());
  PENULT_RETURN_IF_ERROR(plan_every_tap(model, taps, costs));
  if (!measure && !steps) return costs;
  const Status status = plan_last_tap(model, taps, measure, costs);
  if (status.code() == StatusCode::kCancelled) return status;
  if (!status.ok()) {
    const char* what = measure ? "ms is not measured" : "the steps are not known";
    const std::string why = status.to_string();
    const bool again = !costs.notes.empty() && costs.notes.back().ends_with(why);
    costs.notes.push_back(concat(what, again ? ", for the same reason" : ": " + why));
  }
  return costs;
}

}  // namespace penult::program
