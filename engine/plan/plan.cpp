#include "engine/plan/plan.h"

#include <algorithm>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/plan/fold_weights.h"
#include "kernels/backend_module.h"

namespace penult {
namespace {

uint64_t packed_bytes(const Step& step) {
  return step.prepared ? step.prepared->packed_bytes() : step.kernel->packed_bytes(step.problem);
}

// Input first; each delivery right after the step that computes its value, so that the value's
// memory is free again as early as possible.
std::vector<Step> add_input_and_deliveries(const Graph& graph, std::vector<Step> kernels,
                                           const std::vector<Delivery>& deliveries) {
  std::vector<Step> steps;
  std::vector<std::vector<int>> wanted(graph.values.size());  // deliveries by value
  for (size_t i = 0; i < deliveries.size(); ++i) {
    wanted[deliveries[i].value].push_back(static_cast<int>(i));
  }
  const auto deliver = [&](int value) {
    for (const int delivery : wanted[value]) {
      Step step;
      step.kind = Step::Kind::kDeliver;
      step.name = graph.values[value].name;
      step.src = {value};
      step.delivery = delivery;
      steps.push_back(std::move(step));
    }
  };
  Step input;
  input.kind = Step::Kind::kInput;
  input.name = graph.values[graph.input].name;
  input.dst = graph.input;
  steps.push_back(std::move(input));
  deliver(graph.input);
  for (Step& step : kernels) {
    const int value = step.dst;
    steps.push_back(std::move(step));
    deliver(value);
  }
  return steps;
}

void place_weights(Plan& plan) {
  for (Step& step : plan.steps) {
    if (step.kernel == nullptr) continue;
    step.packed_offset = plan.packed_bytes;
    plan.packed_bytes += align_up(packed_bytes(step), plan.alignment());
  }
}

// Tensor by tensor: at most one node's unpacked weights in memory at a time, the largest first,
// while most of the packed ones' memory is untouched.
Status pack_weights(const Graph& graph, Plan& plan) {
  std::vector<const Node*> producers(graph.values.size(), nullptr);
  for (const Node& node : graph.nodes) producers[node.output] = &node;
  std::vector<std::pair<uint64_t, const Step*>> steps;  // with the bytes of their unpacked weights
  for (const Step& step : plan.steps) {
    if (step.kernel == nullptr) continue;
    steps.emplace_back(folded_weights_bytes(graph, *producers[step.dst]), &step);
  }
  std::stable_sort(steps.begin(), steps.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  PENULT_ASSIGN_OR_RETURN(AlignedBuffer packed, AlignedBuffer::allocate(plan.packed_bytes));
  AlignedBuffer room;
  for (const auto& [bytes, step] : steps) {
    PENULT_ASSIGN_OR_RETURN(const auto weights,
                            FoldedWeights::open(graph, *producers[step->dst], room));
    std::byte* const place = packed.data() + step->packed_offset;
    if (step->prepared) {
      PENULT_RETURN_IF_ERROR(step->prepared->pack(*weights, place));
    } else {
      step->kernel->pack(step->problem, *weights, place);
    }
    PENULT_RETURN_IF_ERROR(weights->finish());
  }
  plan.packed.host = std::make_shared<const AlignedBuffer>(std::move(packed));
  return {};
}

// If the plan wants one and it has not been done.
Status open_device(Plan& plan) {
  if (!plan.runs_on_device() || plan.device) return {};
  PENULT_ASSIGN_OR_RETURN(plan.device, plan.module->open_device(plan.options.device_index));
  return {};
}

// Where there is none yet, or none at all, nothing changes.
Result<kernels::DeviceScope> enter_device(const Plan& plan) {
  if (!plan.device) return kernels::DeviceScope();
  return plan.device->enter();
}

// On a device, what DeviceWorkspace needs besides the arena: images and delivered maps, on both
// sides.
uint64_t staging_bytes(const Plan& plan) {
  if (!plan.runs_on_device()) return 0;
  int64_t floats = plan.input.elems();
  for (const Step& step : plan.steps)
    if (step.kind == Step::Kind::kDeliver) floats += plan.buffers[step.src[0]].desc.image_stride;
  return 2 * sizeof(float) * static_cast<uint64_t>(floats * plan.options.max_batch);
}

// To the device's memory.
Status move_weights(Plan& plan) {
  PENULT_ASSIGN_OR_RETURN(kernels::DeviceMemory memory, plan.device->allocate(plan.packed_bytes));
  PENULT_ASSIGN_OR_RETURN(const auto stream, plan.device->create_stream());
  PENULT_RETURN_IF_ERROR(stream->copy(memory.data(), plan.packed.host->data(), plan.packed_bytes));
  PENULT_RETURN_IF_ERROR(stream->synchronize());
  plan.packed.device = std::make_shared<const kernels::DeviceMemory>(std::move(memory));
  plan.packed.host = nullptr;
  return {};
}

}  // namespace

Result<Plan> lay_out(const Graph& graph, std::vector<Delivery> deliveries,
                     const PlanOptions& options) {
  Plan plan;
  plan.options = options;
  plan.input = graph.values[graph.input].shape;
  for (const kernels::ModuleEntry& entry : kernels::all_modules()) {
    if (entry.backend != options.backend || entry.device != options.device) continue;
    PENULT_ASSIGN_OR_RETURN(plan.module, entry.load());
  }
  if (plan.module != nullptr && plan.module->check_backend != nullptr)
    PENULT_RETURN_IF_ERROR(plan.module->check_backend(options.backend));
  // A library prepares for the device that there is.
  if (options.backend != kernels::Backend::kNative) PENULT_RETURN_IF_ERROR(open_device(plan));
  PENULT_ASSIGN_OR_RETURN(const auto scope, enter_device(plan));
  PENULT_ASSIGN_OR_RETURN(std::vector<Step> steps, select_kernels(graph, options, plan.module));
  choose_layout(graph, steps, plan.buffers,
                plan.module != nullptr ? plan.module->channel_pad : kernels::kChannelPad);
  PENULT_RETURN_IF_ERROR(prepare_kernels(options, plan.module, steps));
  plan.steps = add_input_and_deliveries(graph, std::move(steps), deliveries);
  plan.deliveries = std::move(deliveries);
  choose_chains(plan);
  place_weights(plan);
  const bool as_asked = options.images_at_once > 0 && !plan.runs_on_device();
  plan.images_at_once = as_asked ? options.images_at_once : choose_images_at_once(plan);
  plan.staging_bytes = staging_bytes(plan);
  PENULT_RETURN_IF_ERROR(place_buffers(plan));
  return plan;
}

Result<Plan> make_plan(const Graph& graph, std::vector<Delivery> deliveries,
                       const PlanOptions& options, PackedWeights packed) {
  PENULT_ASSIGN_OR_RETURN(Plan plan, lay_out(graph, std::move(deliveries), options));
  PENULT_RETURN_IF_ERROR(open_device(plan));  // or weights would be read in vain
  PENULT_ASSIGN_OR_RETURN(const auto scope, enter_device(plan));
  plan.packed = std::move(packed);
  if (!plan.packed.host && !plan.packed.device) {
    PENULT_RETURN_IF_ERROR(pack_weights(graph, plan));
    if (plan.runs_on_device()) PENULT_RETURN_IF_ERROR(move_weights(plan));
  }
  PENULT_DCHECK(plan.packed_bytes ==
                (plan.runs_on_device() ? plan.packed.device->bytes() : plan.packed.host->bytes()));
  return plan;
}

}  // namespace penult
