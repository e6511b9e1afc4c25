#pragma once

#include <cstdint>
#include <span>

#include "engine/exec/deliver.h"
#include "penult/status.h"

namespace penult {

// Runs a network, one run at a time.
class Runner {
 public:
  virtual ~Runner() = default;
  // features[i]: n * (elements of delivery i) floats. Sizes have been checked by the caller.
  // step_ms: empty, or one a step, which receives the milliseconds from the end of the step before
  // (of the first: from the call) until this one is finished.
  virtual Status run(const InputImages& images, int64_t n,
                     std::span<const std::span<float>> features, std::span<double> step_ms) = 0;
};

}  // namespace penult
