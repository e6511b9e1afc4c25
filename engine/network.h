#pragma once

// What extractors share: the options, resolved, and a plan for each input size in use.

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/base/rgb8_values.h"
#include "engine/plan/plan.h"
#include "penult/extractor.h"

namespace penult {

// Where a network runs.
struct DeviceChoice {
  kernels::DeviceKind kind = kernels::DeviceKind::kCpu;
  int index = 0;
};

// An extractor's options that are names, resolved.
struct Choices {
  kernels::Backend backend = kernels::Backend::kNative;
  DeviceChoice device;
  kernels::Precision precision = kernels::Precision::kF32;
  kernels::Numerics numerics = kernels::Numerics::kLatency;
};

// Errors: as Extractor::check.
Result<Choices> choose(const ExtractorOptions& options);

struct InputSize {
  int64_t h = 0, w = 0, max_batch = 1;
  bool operator==(const InputSize&) const = default;
};

// The network at one input size: immutable, shared by threads.
struct Network {
  InputSize size;
  Shape input;
  std::vector<OutputInfo> outputs;
  std::vector<Delivery> deliveries;
  Graph graph;  // backend reference: truncated only
  Plan plan;    // other backends
};

// The error of everything that needs a plan, on the backend reference.
Status reference_has_no_steps();

// Makes networks and keeps the latest ones. Thread-safe.
class NetworkCache {
 public:
  // Checks the options and resolves the backend. Errors: as Extractor::create.
  static Result<std::shared_ptr<NetworkCache>> create(std::shared_ptr<const Model> model,
                                                      const ExtractorOptions& options);

  // From the cache, or made anew.
  Result<std::shared_ptr<const Network>> at(InputSize size);

  // The plan of at(size), without its weights, of which nothing is read: it tells steps and memory,
  // and cannot run. InvalidArgument of the backend reference, which has no plan.
  Result<Plan> lay_out(InputSize size) const;

  const Model& model() const { return *model_; }
  const ExtractorOptions& options() const { return options_; }
  // What the model's preprocessing makes of bytes.
  const Rgb8Values& rgb8_values() const { return rgb8_values_; }
  Isa isa() const { return isa_; }
  kernels::Backend backend() const { return choices_.backend; }
  const DeviceChoice& device() const { return choices_.device; }
  bool is_on_device() const { return choices_.device.kind != kernels::DeviceKind::kCpu; }
  kernels::Precision precision() const { return choices_.precision; }
  bool is_reference() const { return choices_.backend == kernels::Backend::kReference; }

 private:
  NetworkCache(std::shared_ptr<const Model> model, const ExtractorOptions& options,
               const Choices& choices);
  Result<std::shared_ptr<const Network>> make(InputSize size);
  // Everything of `network` but its plan, and the graph to plan.
  Result<Graph> prepare(InputSize size, Network& network) const;
  PlanOptions plan_options(const InputSize& size) const;
  // Packed weights of a network that differs in the batch only; none if there is none.
  PackedWeights packed_for(const InputSize& size) const;

  std::shared_ptr<const Model> model_;
  ExtractorOptions options_;
  Rgb8Values rgb8_values_;
  Isa isa_ = Isa::kScalar;
  Choices choices_;

  std::mutex mutex_;
  std::vector<std::shared_ptr<const Network>> latest_;  // the latest one first
};

}  // namespace penult
