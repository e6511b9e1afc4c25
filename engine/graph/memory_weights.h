#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"

namespace penult {

// Weights that live in memory: what importers and tests build graphs over.
class MemoryWeights : public WeightSource {
 public:
  explicit MemoryWeights(std::vector<std::vector<float>> tensors) : tensors_(std::move(tensors)) {}
  std::unique_ptr<WeightStream> open(WeightId id) const override {
    return std::make_unique<Stream>(tensors_[id]);
  }

 private:
  class Stream : public WeightStream {
   public:
    explicit Stream(std::span<const float> left) : left_(left) {}
    Status read(std::span<float> dst) override {
      std::copy_n(left_.begin(), dst.size(), dst.begin());
      left_ = left_.subspan(dst.size());
      return {};
    }

   private:
    std::span<const float> left_;
  };

  std::vector<std::vector<float>> tensors_;
};

}  // namespace penult
