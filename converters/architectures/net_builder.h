#pragma once

// What every architecture needs to turn named tensors into a graph: claims that use each tensor
// once, and the layers of convolutional nets, which become taps under the names they are given.

#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "converters/importer.h"

namespace penult::converters {

// A layer's tap name and the prefix of its tensors in the file ("features.0.0" + ".weight").
struct LayerName {
  std::string tap;
  std::string key;
};

struct ConvSpec {
  int64_t kernel = 1;  // both sides
  int64_t stride = 1;
  int64_t padding = 0;        // pixels on each side; ignored with same_padding
  bool same_padding = false;  // TensorFlow's SAME
  bool depthwise = false;
};

// Collects errors: after the first one every call is a no-op, and finish() returns it. So a builder
// reads as the network does.
class NetBuilder {
 public:
  explicit NetBuilder(StateDict&& weights);

  ValueId input() const { return model_.graph.input; }

  // Channels of the output follow from the weights' shape, which must be (oc, ic, k, k), or
  // (ic, 1, k, k) if depthwise.
  ValueId conv(const LayerName& name, ValueId x, const ConvSpec& spec);
  ValueId batchnorm(const LayerName& name, ValueId x, float eps);
  ValueId linear(const LayerName& name, ValueId x);  // with a bias, as all classifiers have it
  ValueId relu6(const std::string& tap, ValueId x);
  ValueId add(const std::string& tap, ValueId x, ValueId y);
  ValueId global_avg_pool(const std::string& tap, ValueId x);

  // Another name of the most recent tap, or of the last one inside a module.
  void alias(const std::string& name);
  void alias(const std::string& name, const std::string& tap);
  // Adds the last tap inside `module` to group `group`.
  void add_to_group(const std::string& group, const std::string& module);

  bool has(const std::string& tensor) const { return index_.contains(tensor); }
  // Output channels of a value, as built so far.
  int64_t channels(ValueId value) const;

  // The model; an error if something did not fit, or a tensor is left over.
  Result<ModelData> finish(std::string architecture, const Preprocess& preprocess);

 private:
  // The tensor `name`, whose dims must be `expected` (-1: any size); errors if it is missing, used
  // already, of integers, or not finite.
  WeightId claim(const std::string& name, const std::vector<int64_t>& expected);
  ValueId layer(const OpDef& op, const std::string& tap, std::vector<ValueId> inputs,
                std::vector<WeightId> weights, Attributes attrs, int64_t channels);
  void claim_counter(const std::string& name);
  void check_variance(const std::string& name, WeightId var);
  int last_tap_inside(const std::string& module);
  void fail(std::string message);

  StateDict weights_;
  std::map<std::string, size_t> index_;
  std::vector<bool> claimed_;
  std::vector<std::vector<float>> tensors_;
  std::vector<int64_t> channels_;  // by value
  ModelData model_;
  Status status_;
};

}  // namespace penult::converters
