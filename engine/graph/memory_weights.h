#pragma once

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"

namespace penult {

// Weights that live in memory: what importers and tests build graphs over.
class MemoryWeights : public WeightSource {
 public:
  explicit MemoryWeights(std::vector<std::vector<float>> tensors) : tensors_(std::move(tensors)) {}
  Status read(WeightId id, std::span<float> dst) const override {
    std::copy(tensors_[id].begin(), tensors_[id].end(), dst.begin());
    return {};
  }

 private:
  std::vector<std::vector<float>> tensors_;
};

}  // namespace penult
