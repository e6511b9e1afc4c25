// The facade, read as the data flow: resolve taps -> shapes -> pooling nodes -> passes -> plan ->
// run.

#include "penult/extractor.h"

#include <array>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/text.h"
#include "engine/exec/deliver.h"
#include "engine/exec/executor.h"
#include "engine/exec/reference_executor.h"
#include "engine/input_size.h"
#include "engine/model/model_data.h"
#include "engine/ops/op.h"
#include "engine/passes/passes.h"
#include "engine/plan/plan.h"

namespace penult {
namespace {

constexpr std::array<const char*, 4> kPoolingNames = {"avg", "max", "flatten", "none"};

// What the caller asked for, resolved: one entry for each feature array.
struct Request {
  std::vector<OutputInfo> outputs;
  std::vector<Delivery> deliveries;
};

Status add_request(const ModelData& model, const std::string& key, Pooling pooling,
                   Request& request) {
  PENULT_ASSIGN_OR_RETURN(const std::vector<int> taps, resolve_tap(model, key));
  for (const int tap : taps) {
    const std::string& name = model.taps[tap].name;
    OutputInfo info;
    info.key = taps.size() == 1 ? key : name;
    info.name = name;
    for (const OutputInfo& other : request.outputs) {
      if (other.key == info.key) {
        return Status(StatusCode::kInvalidArgument,
                      concat("tap ", quote(info.key), " is asked for twice; name each tap once"));
      }
    }
    request.outputs.push_back(std::move(info));
    request.deliveries.push_back({.value = model.taps[tap].value, .pooling = pooling});
  }
  return {};
}

// An average over a map is the network's own operator, appended as a node: the same kernel and the
// same bits as the pooling layer of the network itself. Its reader makes the tap a fusion barrier.
void add_average_pools(Graph& graph, std::vector<Delivery>& deliveries) {
  for (Delivery& delivery : deliveries) {
    if (delivery.pooling != Pooling::kAvg) continue;
    const Shape shape = graph.values[delivery.value].shape;
    if (shape.is_map()) {
      const std::string name = graph.values[delivery.value].name + "/avg";
      delivery.value = graph.add_node(kGlobalAvgPool, name, {delivery.value});
    }
    delivery.pooling = Pooling::kNone;
  }
}

void describe_outputs(const Graph& graph, Request& request) {
  for (size_t i = 0; i < request.outputs.size(); ++i) {
    const Shape& shape = graph.values[request.deliveries[i].value].shape;
    const Pooling pooling = request.deliveries[i].pooling;
    OutputInfo& info = request.outputs[i];
    info.elems = delivery_elems(shape, pooling);
    info.dims = {info.elems};
    if (shape.is_map() && pooling == Pooling::kNone) info.dims = {shape.c, shape.h, shape.w};
  }
}

Status check_options(const ExtractorOptions& options) {
  const auto bad = [](const std::string& what, int64_t got, const char* expected) {
    return Status(StatusCode::kInvalidArgument, concat(what, " is ", got, ", expected ", expected));
  };
  if (options.max_batch < 1 || options.max_batch > 65536) {
    return bad("the batch size", options.max_batch, "1 to 65536");
  }
  if (options.threads < 1 || options.threads > 1024) {
    return bad("the number of threads", options.threads, "1 to 1024");
  }
  if (options.taps.empty()) {
    return Status(StatusCode::kInvalidArgument, "no tap is asked for, expected at least one name");
  }
  return {};
}

}  // namespace

Result<Pooling> pooling_from_name(const std::string& name) {
  for (size_t i = 0; i < kPoolingNames.size(); ++i) {
    if (name == kPoolingNames[i]) return static_cast<Pooling>(i);
  }
  return Status(StatusCode::kInvalidArgument,
                concat("unknown pooling ", quote(name), ", expected avg, max, flatten or none"));
}

const char* pooling_name(Pooling pooling) { return kPoolingNames[static_cast<size_t>(pooling)]; }

struct Extractor::Impl {
  std::shared_ptr<const Model> model;
  std::vector<OutputInfo> outputs;
  Shape input;
  int64_t max_batch = 1;
  Isa isa = Isa::kScalar;
  Plan plan;                                     // backend native
  std::unique_ptr<Workspace> workspace;          // backend native
  std::unique_ptr<ReferenceExecutor> reference;  // backend reference
};

Extractor::Extractor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Extractor::~Extractor() = default;

Result<std::unique_ptr<Extractor>> Extractor::create(std::shared_ptr<const Model> model,
                                                     const ExtractorOptions& options) {
  PENULT_RETURN_IF_ERROR(check_options(options));
  const bool native = options.backend == "auto" || options.backend == "native";
  if (!native && options.backend != "reference") {
    return Status(StatusCode::kNotFound, concat("unknown backend ", quote(options.backend),
                                                ", expected auto, native or reference"));
  }
  auto impl = std::make_unique<Impl>();
  impl->max_batch = options.max_batch;
  PENULT_ASSIGN_OR_RETURN(impl->isa, usable_isa());
  if (!native) impl->isa = Isa::kScalar;

  Request request;
  for (const std::string& key : options.taps) {
    PENULT_RETURN_IF_ERROR(add_request(model->data(), key, options.pooling, request));
  }
  Graph graph = model->data().graph;
  const int64_t h = options.input_h != 0 ? options.input_h : model->input_h();
  const int64_t w = options.input_w != 0 ? options.input_w : model->input_w();
  PENULT_RETURN_IF_ERROR(set_input_size(model->data(), h, w, graph));
  add_average_pools(graph, request.deliveries);
  PENULT_RETURN_IF_ERROR(set_input_size(model->data(), h, w, graph));
  impl->input = graph.values[graph.input].shape;
  describe_outputs(graph, request);

  std::vector<ValueId> values;
  for (const Delivery& delivery : request.deliveries) values.push_back(delivery.value);
  if (native) {
    run_passes(graph, std::move(values), {.fuse = true});
    PENULT_ASSIGN_OR_RETURN(
        impl->plan,
        make_plan(graph, std::move(request.deliveries),
                  {.isa = impl->isa, .max_batch = options.max_batch, .threads = options.threads}));
    PENULT_ASSIGN_OR_RETURN(impl->workspace, Workspace::create(impl->plan));
  } else {
    graph.outputs = std::move(values);
    remove_dead(graph);
    PENULT_ASSIGN_OR_RETURN(impl->reference, ReferenceExecutor::create(
                                                 std::move(graph), std::move(request.deliveries)));
  }
  impl->outputs = std::move(request.outputs);
  impl->model = std::move(model);
  return std::unique_ptr<Extractor>(new Extractor(std::move(impl)));
}

const std::vector<OutputInfo>& Extractor::outputs() const { return impl_->outputs; }
int64_t Extractor::input_h() const { return impl_->input.h; }
int64_t Extractor::input_w() const { return impl_->input.w; }
const char* Extractor::isa() const { return isa_name(impl_->isa); }
const char* Extractor::backend() const { return impl_->reference ? "reference" : "native"; }

uint64_t Extractor::memory_bytes() const {
  if (impl_->reference) return impl_->reference->weight_bytes();
  const Plan& plan = impl_->plan;
  return plan.arena_bytes + plan.packed.bytes() + plan.scratch_bytes * plan.options.threads;
}

Status Extractor::run(std::span<const float> images, int64_t n,
                      std::span<const std::span<float>> features) {
  const auto wrong = [](const char* what, uint64_t got, uint64_t expected) {
    return Status(StatusCode::kInvalidArgument,
                  concat(what, ": got ", got, ", expected ", expected));
  };
  if (n < 1 || n > impl_->max_batch) {
    return Status(StatusCode::kInvalidArgument,
                  concat("images in a run: got ", n, ", expected 1 to ", impl_->max_batch));
  }
  const auto count = static_cast<uint64_t>(n);
  const uint64_t image_elems = count * static_cast<uint64_t>(impl_->input.elems());
  if (images.size() != image_elems) return wrong("floats of images", images.size(), image_elems);
  if (features.size() != impl_->outputs.size()) {
    return wrong("feature arrays", features.size(), impl_->outputs.size());
  }
  for (size_t i = 0; i < features.size(); ++i) {
    const uint64_t elems = count * static_cast<uint64_t>(impl_->outputs[i].elems);
    if (features[i].size() != elems) return wrong("floats of a feature", features[i].size(), elems);
  }
  if (impl_->reference) return impl_->reference->run(images.data(), n, features);
  return impl_->workspace->run(images.data(), n, features);
}

}  // namespace penult
