// The facade. What extractors share is made in engine/network.cpp; here is what each has of its
// own.

#include "penult/extractor.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/exec/device_executor.h"
#include "engine/exec/executor.h"
#include "engine/exec/pooling.h"
#include "engine/exec/reference_executor.h"
#include "engine/network.h"
#include "engine/steps.h"

namespace penult {
namespace {

InputSize size_of(const Model& model, const ExtractorOptions& options) {
  return {.h = options.input_h != 0 ? options.input_h : model.input_h(),
          .w = options.input_w != 0 ? options.input_w : model.input_w(),
          .max_batch = options.max_batch};
}

Status no_model() {
  return {StatusCode::kInvalidArgument, "there is no model: got a null pointer"};
}

Status wrong(const char* what, uint64_t got, uint64_t expected) {
  return {StatusCode::kInvalidArgument, concat(what, ": got ", got, ", expected ", expected)};
}

// elems: floats or bytes of all images.
Status check_run(const Network& network, const char* what, uint64_t elems, int64_t n,
                 std::span<const std::span<float>> features) {
  if (n < 1 || n > network.size.max_batch) {
    return {StatusCode::kInvalidArgument,
            concat("images in a run: got ", n, ", expected 1 to ", network.size.max_batch)};
  }
  const auto count = static_cast<uint64_t>(n);
  const uint64_t image_elems = count * static_cast<uint64_t>(network.input.elems());
  if (elems != image_elems) return wrong(what, elems, image_elems);
  if (features.size() != network.outputs.size()) {
    return wrong("feature arrays", features.size(), network.outputs.size());
  }
  for (size_t i = 0; i < features.size(); ++i) {
    const uint64_t expected = count * static_cast<uint64_t>(network.outputs[i].elems);
    if (features[i].size() != expected) {
      return wrong("floats of a feature", features[i].size(), expected);
    }
  }
  return {};
}

}  // namespace

std::vector<std::string> pooling_names() {
  std::vector<std::string> names;
  for (const PoolingDef& def : poolings()) names.emplace_back(def.name);
  return names;
}

Result<Pooling> pooling_from_name(const std::string& name) {
  std::string expected;
  for (const PoolingDef& def : poolings()) {
    if (name == def.name) return def.pooling;
    expected += (expected.empty() ? "" : ", ") + std::string(def.name);
  }
  return Status(StatusCode::kInvalidArgument,
                concat("unknown pooling ", quote(name), ", expected one of ", expected));
}

const char* pooling_name(Pooling pooling) { return pooling_def(pooling).name; }

struct Extractor::Impl {
  std::shared_ptr<NetworkCache> cache;
  std::shared_ptr<const Network> network;
  std::unique_ptr<Runner> runner;
  uint64_t reference_bytes = 0;  // of weights, with the backend reference

  Status run(const InputImages& images, int64_t n, std::span<const std::span<float>> features) {
    return runner->run(images, n, features, {});
  }

  Result<std::unique_ptr<Runner>> make_runner(const Network& next) {
    if (cache->is_reference()) {
      PENULT_ASSIGN_OR_RETURN(auto reference,
                              ReferenceExecutor::create(next.graph, next.deliveries));
      reference_bytes = reference->weight_bytes();
      return std::unique_ptr<Runner>(std::move(reference));
    }
    if (next.plan.runs_on_device()) {
      PENULT_ASSIGN_OR_RETURN(auto device,
                              DeviceWorkspace::create(next.plan, cache->rgb8_values()));
      return std::unique_ptr<Runner>(std::move(device));
    }
    PENULT_ASSIGN_OR_RETURN(auto workspace, Workspace::create(next.plan));
    return std::unique_ptr<Runner>(std::move(workspace));
  }

  // After an error everything is as before.
  Status adopt(std::shared_ptr<const Network> next) {
    if (next == network) return {};
    PENULT_ASSIGN_OR_RETURN(runner, make_runner(*next));
    network = std::move(next);
    return {};
  }
};

Extractor::Extractor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Extractor::~Extractor() = default;

Result<std::unique_ptr<Extractor>> Extractor::create(std::shared_ptr<const Model> model,
                                                     const ExtractorOptions& options) {
  if (model == nullptr) return no_model();
  const InputSize size = size_of(*model, options);
  auto impl = std::make_unique<Impl>();
  PENULT_ASSIGN_OR_RETURN(impl->cache, NetworkCache::create(std::move(model), options));
  PENULT_ASSIGN_OR_RETURN(std::shared_ptr<const Network> network, impl->cache->at(size));
  PENULT_RETURN_IF_ERROR(impl->adopt(std::move(network)));
  return std::unique_ptr<Extractor>(new Extractor(std::move(impl)));
}

Status Extractor::check(const ExtractorOptions& options) { return choose(options).status(); }

Result<uint64_t> Extractor::planned_bytes(std::shared_ptr<const Model> model,
                                          const ExtractorOptions& options) {
  if (model == nullptr) return no_model();
  const InputSize size = size_of(*model, options);
  PENULT_ASSIGN_OR_RETURN(const auto cache, NetworkCache::create(std::move(model), options));
  PENULT_ASSIGN_OR_RETURN(const Plan plan, cache->lay_out(size));
  return plan.memory_bytes();
}

Result<std::unique_ptr<Extractor>> Extractor::share() const {
  auto impl = std::make_unique<Impl>();
  impl->cache = impl_->cache;
  PENULT_RETURN_IF_ERROR(impl->adopt(impl_->network));
  return std::unique_ptr<Extractor>(new Extractor(std::move(impl)));
}

Status Extractor::reshape(int64_t input_h, int64_t input_w, int64_t max_batch) {
  const InputSize size{.h = input_h, .w = input_w, .max_batch = max_batch};
  PENULT_ASSIGN_OR_RETURN(std::shared_ptr<const Network> network, impl_->cache->at(size));
  return impl_->adopt(std::move(network));
}

const std::vector<OutputInfo>& Extractor::outputs() const { return impl_->network->outputs; }
int64_t Extractor::input_h() const { return impl_->network->input.h; }
int64_t Extractor::input_w() const { return impl_->network->input.w; }
int64_t Extractor::max_batch() const { return impl_->network->size.max_batch; }
const char* Extractor::isa() const {
  return impl_->cache->is_on_device() ? kernels::device_kind_name(impl_->cache->device().kind)
                                      : isa_name(impl_->cache->isa());
}
std::string Extractor::device() const {
  const DeviceChoice& device = impl_->cache->device();
  const char* kind = kernels::device_kind_name(device.kind);
  if (!impl_->cache->is_on_device()) return kind;
  return concat(kind, ":", device.index, " (", impl_->network->plan.device->name(), ")");
}
const char* Extractor::precision() const {
  return kernels::precision_name(impl_->cache->precision());
}
std::string Extractor::numerics() const {
  if (impl_->cache->backend() == kernels::Backend::kCudnn) return "cudnn";  // promises nothing
  if (impl_->cache->is_on_device()) return concat("gpu-", kernels::kGpuNumericsVersion);
  return concat(impl_->cache->options().numerics, "-", kernels::kNumericsVersion);
}
const char* Extractor::backend() const { return kernels::backend_name(impl_->cache->backend()); }

uint64_t Extractor::memory_bytes() const {
  if (impl_->cache->is_reference()) return impl_->reference_bytes;
  return impl_->network->plan.memory_bytes();
}

std::vector<StepInfo> Extractor::steps() const {
  return describe_steps(impl_->cache->model().data(), impl_->network->plan);
}

Status Extractor::run(std::span<const float> images, int64_t n,
                      std::span<const std::span<float>> features) {
  PENULT_RETURN_IF_ERROR(
      check_run(*impl_->network, "floats of images", images.size(), n, features));
  return impl_->run({.planar = images.data()}, n, features);
}

Status Extractor::run_rgb8(std::span<const uint8_t> images, int64_t n,
                           std::span<const std::span<float>> features) {
  PENULT_RETURN_IF_ERROR(check_run(*impl_->network, "bytes of images", images.size(), n, features));
  return impl_->run({.rgb8 = images.data(), .values = &impl_->cache->rgb8_values()}, n, features);
}

Status Extractor::profile(std::span<const float> images, int64_t n,
                          std::span<const std::span<float>> features, std::span<double> step_ms) {
  if (impl_->cache->is_reference()) return reference_has_no_steps();
  PENULT_RETURN_IF_ERROR(
      check_run(*impl_->network, "floats of images", images.size(), n, features));
  const size_t steps = impl_->network->plan.steps.size();
  if (step_ms.size() != steps) return wrong("times of steps", step_ms.size(), steps);
  return impl_->runner->run({.planar = images.data()}, n, features, step_ms);
}

}  // namespace penult
