// From options to a network that can run: resolve taps -> shapes -> pooling nodes -> passes ->
// plan.

#include "engine/network.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/text.h"
#include "engine/exec/pooling.h"
#include "engine/input_size.h"
#include "engine/model/model_data.h"
#include "engine/ops/op.h"
#include "engine/passes/passes.h"

namespace penult {
namespace {

// Each keeps a copy of the packed weights, so a few: one is in use, the others make switching
// cheap.
constexpr size_t kKept = 4;

Status add_request(const ModelData& model, const std::string& key, Pooling pooling,
                   Network& network) {
  PENULT_ASSIGN_OR_RETURN(const std::vector<int> taps, resolve_tap(model, key));
  for (const int tap : taps) {
    const std::string& name = model.taps[tap].name;
    OutputInfo info;
    info.key = taps.size() == 1 ? key : name;
    info.name = name;
    for (const OutputInfo& other : network.outputs) {
      if (other.key == info.key) {
        return Status(StatusCode::kInvalidArgument,
                      concat("tap ", quote(info.key), " is asked for twice; name each tap once"));
      }
    }
    network.outputs.push_back(std::move(info));
    network.deliveries.push_back({.value = model.taps[tap].value, .pooling = pooling});
  }
  return {};
}

// An average over a map is the network's own operator, appended as a node: the same kernel and the
// same bits as the pooling layer of the network itself. Its reader makes the tap a fusion barrier.
// Two names of one place share it.
void add_average_pools(Graph& graph, std::vector<Delivery>& deliveries) {
  std::map<ValueId, ValueId> pooled;
  for (Delivery& delivery : deliveries) {
    if (delivery.pooling != Pooling::kAvg) continue;
    delivery.pooling = Pooling::kNone;
    const Value& value = graph.values[delivery.value];
    if (!value.shape.is_map()) continue;
    const auto [found, is_new] = pooled.try_emplace(delivery.value, kNoValue);
    if (is_new) {
      found->second = graph.add_node(kGlobalAvgPool, value.name + "/avg", {delivery.value});
    }
    delivery.value = found->second;
  }
}

void describe_outputs(const Graph& graph, Network& network) {
  for (size_t i = 0; i < network.outputs.size(); ++i) {
    const Shape& shape = graph.values[network.deliveries[i].value].shape;
    const Pooling pooling = network.deliveries[i].pooling;
    OutputInfo& info = network.outputs[i];
    info.elems = delivery_elems(shape, pooling);
    info.dims = delivery_dims(shape, pooling);
  }
}

Status check_options(const ExtractorOptions& options) {
  const auto bad = [](const std::string& what, int64_t got, const char* expected) {
    return Status(StatusCode::kInvalidArgument, concat(what, " is ", got, ", expected ", expected));
  };
  if (options.threads < 1 || options.threads > 1024) {
    return bad("the number of threads", options.threads, "1 to 1024");
  }
  if (static_cast<size_t>(options.pooling) >= poolings().size()) {
    return bad("the pooling", static_cast<int64_t>(options.pooling), "one of enum Pooling");
  }
  if (options.taps.empty()) {
    return Status(StatusCode::kInvalidArgument, "no tap is asked for, expected at least one name");
  }
  return {};
}

Status check_batch(const InputSize& size) {
  if (size.max_batch >= 1 && size.max_batch <= 65536) return {};
  return Status(StatusCode::kInvalidArgument,
                concat("the batch size is ", size.max_batch, ", expected 1 to 65536"));
}

Result<kernels::Backend> backend_from_name(const std::string& name) {
  using kernels::Backend;
  if (name == "auto") return Backend::kNative;
  for (const Backend backend :
       {Backend::kNative, Backend::kOnednn, Backend::kCudnn, Backend::kReference}) {
    if (name == kernels::backend_name(backend)) return backend;
  }
  return Status(StatusCode::kNotFound,
                concat("unknown backend ", quote(name),
                       ", expected auto, native, onednn, cudnn or reference"));
}

// "cpu", "cuda", "cuda:1", "emulated" and, since that is how Extractor::device() begins,
// "emulated:0": there is one of them.
Result<DeviceChoice> device_from_name(const std::string& name) {
  using kernels::DeviceKind;
  for (const DeviceKind kind : {DeviceKind::kCpu, DeviceKind::kCuda, DeviceKind::kEmulated})
    if (name == kernels::device_kind_name(kind)) return DeviceChoice{.kind = kind};
  if (name == "emulated:0") return DeviceChoice{.kind = DeviceKind::kEmulated};
  DeviceChoice cuda{.kind = DeviceKind::kCuda};
  constexpr std::string_view kPrefix = "cuda:";
  if (name.starts_with(kPrefix)) {
    const char* const end = name.data() + name.size();
    const auto [rest, error] = std::from_chars(name.data() + kPrefix.size(), end, cuda.index);
    if (error == std::errc() && rest == end && cuda.index >= 0) return cuda;
  }
  return Status(StatusCode::kInvalidArgument,
                concat("unknown device ", quote(name), ", expected cpu, cuda, cuda:N or emulated"));
}

Result<kernels::Precision> precision_from_name(const std::string& name) {
  using kernels::Precision;
  for (const Precision precision : {Precision::kF32, Precision::kF16})
    if (name == kernels::precision_name(precision)) return precision;
  return Status(StatusCode::kInvalidArgument,
                concat("unknown precision ", quote(name), ", expected f32 or f16"));
}

// Of a device, its own backends; of the processor, f32 alone.
Status check_combination(kernels::DeviceKind device, kernels::Backend backend,
                         kernels::Precision precision) {
  const bool on_cpu = device == kernels::DeviceKind::kCpu;
  if (on_cpu && precision != kernels::Precision::kF32) {
    return {StatusCode::kInvalidArgument,
            "the precision f16 needs the device cuda or emulated; on the cpu penult computes in "
            "f32 (for small files, store f16)"};
  }
  const auto modules = kernels::all_modules();
  const bool known =
      (on_cpu && backend != kernels::Backend::kCudnn && backend != kernels::Backend::kOnednn) ||
      std::any_of(modules.begin(), modules.end(), [&](const kernels::ModuleEntry& entry) {
        return entry.device == device && entry.backend == backend;
      });
  if (known) return {};
  return {StatusCode::kInvalidArgument,
          concat("the backend ", kernels::backend_name(backend), " does not run on the device ",
                 kernels::device_kind_name(device))};
}

}  // namespace

Result<Choices> choose(const ExtractorOptions& options) {
  PENULT_RETURN_IF_ERROR(check_options(options));
  Choices choices;
  PENULT_ASSIGN_OR_RETURN(choices.backend, backend_from_name(options.backend));
  PENULT_ASSIGN_OR_RETURN(choices.device, device_from_name(options.device));
  PENULT_ASSIGN_OR_RETURN(choices.precision, precision_from_name(options.precision));
  PENULT_ASSIGN_OR_RETURN(choices.numerics, kernels::numerics_from_name(options.numerics));
  PENULT_RETURN_IF_ERROR(
      check_combination(choices.device.kind, choices.backend, choices.precision));
  return choices;
}

Status reference_has_no_steps() {
  return {
      StatusCode::kInvalidArgument,
      "the backend reference computes node by node, without a plan of steps; expected another one"};
}

NetworkCache::NetworkCache(std::shared_ptr<const Model> model, const ExtractorOptions& options,
                           const Choices& choices)
    : model_(std::move(model)), options_(options), choices_(choices) {
  const Preprocess& p = model_->preprocess();
  const bool bgr = p.channel_order == Preprocess::ChannelOrder::kBgr;
  rgb8_values_ = make_rgb8_values(p.mean, p.std, bgr);
}

Result<std::shared_ptr<NetworkCache>> NetworkCache::create(std::shared_ptr<const Model> model,
                                                           const ExtractorOptions& options) {
  PENULT_ASSIGN_OR_RETURN(const Choices choices, choose(options));
  std::shared_ptr<NetworkCache> cache(new NetworkCache(std::move(model), options, choices));
  PENULT_ASSIGN_OR_RETURN(const Isa usable, usable_isa());
  if (!cache->is_reference()) cache->isa_ = usable;
  return cache;
}

Result<std::shared_ptr<const Network>> NetworkCache::at(InputSize size) {
  PENULT_RETURN_IF_ERROR(check_batch(size));
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(latest_.begin(), latest_.end(),
                                  [&](const auto& network) { return network->size == size; });
  if (found != latest_.end()) {
    std::rotate(latest_.begin(), found, found + 1);
    return latest_.front();
  }
  PENULT_ASSIGN_OR_RETURN(std::shared_ptr<const Network> network, make(size));
  latest_.insert(latest_.begin(), network);
  if (latest_.size() > kKept) latest_.pop_back();
  return network;
}

PackedWeights NetworkCache::packed_for(const InputSize& size) const {
  // What a library prepares depends on the batch.
  if (choices_.backend != kernels::Backend::kNative) return {};
  for (const auto& network : latest_) {
    if (network->size.h == size.h && network->size.w == size.w) return network->plan.packed;
  }
  return {};
}

Result<Graph> NetworkCache::prepare(InputSize size, Network& network) const {
  const ModelData& model = model_->data();
  network.size = size;
  for (const std::string& key : options_.taps) {
    PENULT_RETURN_IF_ERROR(add_request(model, key, options_.pooling, network));
  }
  Graph graph = model.graph;
  // The shapes are those of the default size. What is a map is one at every size.
  add_average_pools(graph, network.deliveries);
  PENULT_RETURN_IF_ERROR(set_input_size(model, size.h, size.w, graph));
  network.input = graph.values[graph.input].shape;
  describe_outputs(graph, network);

  std::vector<ValueId> values;
  for (const Delivery& delivery : network.deliveries) values.push_back(delivery.value);
  if (is_reference()) {
    graph.outputs = std::move(values);
    remove_dead(graph);
  } else {
    const bool on_cpu = !is_on_device();
    const PassOptions pass_options{
        .fuse_scale = choices_.backend == kernels::Backend::kNative && on_cpu,
        .fuse_squeeze_excitation = !on_cpu};
    PENULT_RETURN_IF_ERROR(run_passes(graph, std::move(values), pass_options));
  }
  return graph;
}

PlanOptions NetworkCache::plan_options(const InputSize& size) const {
  // A GPU's own memory is the limit there, and who asks for more hears of it.
  const bool on_gpu = choices_.device.kind == kernels::DeviceKind::kCuda;
  return {.isa = isa_,
          .max_batch = size.max_batch,
          .threads = options_.threads,
          .backend = choices_.backend,
          .device = choices_.device.kind,
          .device_index = choices_.device.index,
          .precision = choices_.precision,
          .numerics = choices_.numerics,
          .memory_budget_bytes = on_gpu ? uint64_t{1} << 40 : PlanOptions().memory_budget_bytes,
          .cache_bytes = private_cache_bytes()};
}

Result<Plan> NetworkCache::lay_out(InputSize size) const {
  if (is_reference()) return reference_has_no_steps();
  PENULT_RETURN_IF_ERROR(check_batch(size));
  Network network;
  PENULT_ASSIGN_OR_RETURN(const Graph graph, prepare(size, network));
  return penult::lay_out(graph, std::move(network.deliveries), plan_options(size));
}

Result<std::shared_ptr<const Network>> NetworkCache::make(InputSize size) {
  auto network = std::make_shared<Network>();
  PENULT_ASSIGN_OR_RETURN(Graph graph, prepare(size, *network));
  if (is_reference()) {
    network->graph = std::move(graph);
  } else {
    PENULT_ASSIGN_OR_RETURN(
        network->plan, make_plan(graph, network->deliveries, plan_options(size), packed_for(size)));
  }
  return std::shared_ptr<const Network>(std::move(network));
}

}  // namespace penult
