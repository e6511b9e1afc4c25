#pragma once

#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/graph/memory_weights.h"

namespace penult::testing {

// Builds graphs whose weights are seeded random numbers; batchnorm is lively (an identity batchnorm
// would hide a broken fold): gamma 0.5..1.5, beta and mean N(0, 0.3), variance 0.5..2.
class RandomNet {
 public:
  explicit RandomNet(uint32_t seed) : random_(seed) { graph_.input = graph_.add_value("input"); }

  struct Conv {
    int64_t oc, kernel = 1, stride = 1, groups = 1;
    bool bias = false;
  };
  ValueId conv(const std::string& name, ValueId x, int64_t ic, const Conv& c);
  ValueId batchnorm(const std::string& name, ValueId x, int64_t channels);
  ValueId node(const OpDef& op, const std::string& name, std::vector<ValueId> inputs,
               Attributes attrs = {}) {
    return graph_.add_node(op, name, std::move(inputs), {}, std::move(attrs));
  }
  ValueId linear(const std::string& name, ValueId x, int64_t ic, int64_t oc);
  ValueId input() const { return graph_.input; }

  // The finished graph, validated, with shapes for a (c, h, w) input.
  Graph finish(int64_t c, int64_t h, int64_t w);

 private:
  WeightId normal(const std::string& name, std::vector<int64_t> dims, float mean, float deviation);
  WeightId uniform(const std::string& name, std::vector<int64_t> dims, float lo, float hi);
  WeightId keep(const std::string& name, std::vector<int64_t> dims, std::vector<float> values);

  std::mt19937 random_;
  Graph graph_;
  std::vector<std::vector<float>> tensors_;
};

// A stem and inverted residual blocks as MobileNetV2 has them (expand, depthwise, project, add),
// with channel counts that leave ragged vectors, then pooling and a classifier. Every value is
// named.
Graph inverted_residual_net(uint32_t seed, int64_t size);

// Everything that inverted_residual_net lacks: grouped and large depthwise convolution, pooling,
// squeeze-and-excitation, concatenation, softmax, and activations other than ReLU6.
Graph mixed_net(uint32_t seed, int64_t size);

}  // namespace penult::testing
