#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/exec/runner.h"
#include "engine/plan/plan.h"

namespace penult {

// An executor that is "obviously correct": the graph's own order, nothing fused, nothing folded,
// the reference kernel of each operator (plain loops, double accumulators), a fresh buffer for each
// value. Slow, uses much memory, and allocates while it runs. The oracle for everything else.
class ReferenceExecutor : public Runner {
 public:
  // `graph` is truncated (outputs set, dead nodes removed) but not rewritten otherwise.
  static Result<std::unique_ptr<ReferenceExecutor>> create(Graph graph,
                                                           std::vector<Delivery> deliveries);

  // OutOfMemory if a buffer cannot be allocated. There are no steps to time.
  Status run(const InputImages& images, int64_t n, std::span<const std::span<float>> features,
             std::span<double> step_ms = {}) override;

  uint64_t weight_bytes() const;

 private:
  struct Layer {
    const kernels::Kernel* kernel;
    kernels::Problem problem;
    AlignedBuffer packed;
  };
  ReferenceExecutor(Graph graph, std::vector<Delivery> deliveries);
  Status run_layer(size_t index, int64_t n, std::vector<AlignedBuffer>& values);

  Graph graph_;
  std::vector<Delivery> deliveries_;
  std::vector<Layer> layers_;  // one a node
};

}  // namespace penult
