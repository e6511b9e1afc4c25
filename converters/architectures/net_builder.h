#pragma once

// What every architecture needs to turn named tensors into a graph: claims that use each tensor
// once, and the layers of convolutional nets, which become taps under the names they are given.
// Where the file has a graph already, the same words find their layers in it and name them.

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "converters/architectures/graph_follower.h"
#include "converters/importer.h"

namespace penult::converters {

// A layer's tap name, the prefix of its tensors in the file ("features.0.0" + ".weight"), and what
// else the tap is called. A name alone is all of them.
struct LayerName {
  std::string tap;
  std::string key;
  std::vector<std::string> also;

  LayerName(const char* name) : tap(name), key(name) {}  // NOLINT(google-explicit-constructor)
  LayerName(std::string name)
      : tap(std::move(name)), key(tap) {}  // NOLINT(google-explicit-constructor)
  LayerName(std::string tap_name, std::string key_prefix, std::vector<std::string> other_names = {})
      : tap(std::move(tap_name)), key(std::move(key_prefix)), also(std::move(other_names)) {}
};

struct ConvSpec {
  int64_t kernel = 1;  // both sides
  int64_t stride = 1;
  int64_t padding = 0;        // pixels on each side; ignored with same_padding
  bool same_padding = false;  // TensorFlow's SAME
  bool depthwise = false;
  int64_t groups = 1;    // ignored if depthwise; 0: whatever the weights have
  int64_t channels = 0;  // of the output; 0: whatever the weights have
  // Of kernels that are not square: the width, and the padding at the left and right.
  int64_t kernel_w = 0, padding_w = 0;
};

struct PoolSpec {
  int64_t kernel = 1;  // both sides
  int64_t stride = 1;
  int64_t padding = 0;
  bool ceil = false;           // windows that begin inside may end outside
  bool counts_padding = true;  // averages divide by the window's size, padding included
};

// Null if there is no tensor of that name. Linear: for the few names that recognise a network.
const NamedTensor* find(const StateDict& weights, std::string_view name);
// If there is one, and its dims are these (-1: any size).
bool has_shape(const StateDict& weights, std::string_view name, const std::vector<int64_t>& dims);

// Collects errors: after the first one every call is a no-op, and finish() returns it. So a builder
// reads as the network does.
class NetBuilder {
 public:
  explicit NetBuilder(StateDict&& weights);

  ValueId input() const { return follower_ ? follower_->input() : model_.graph.input; }
  // Whether layers are looked for in a graph.
  bool follows() const { return follower_.has_value(); }

  // Channels of the output follow from the weights' shape, which must be (oc, ic / groups, k, k),
  // or (ic, 1, k, k) if depthwise.
  ValueId conv(const LayerName& name, ValueId x, const ConvSpec& spec);
  ValueId batchnorm(const LayerName& name, ValueId x, float eps);
  // With a bias. The weights are a matrix, or those of a convolution over the map of `side` pixels
  // a side that x, a vector, was flattened from.
  ValueId linear(const LayerName& name, ValueId x, int64_t side = 1);
  // An operator without attributes that keeps the shape: kRelu, kHardSwish, ...
  ValueId activation(const OpDef& op, const LayerName& name, ValueId x);
  ValueId add(const LayerName& name, ValueId x, ValueId y);
  ValueId concat_channels(const LayerName& name, const std::vector<ValueId>& maps);
  ValueId scale_channels(const LayerName& name, ValueId map, ValueId scale);
  // Each channel times its scale plus its shift: constants that no file holds.
  ValueId affine(const LayerName& name, ValueId x, std::vector<float> scale,
                 std::vector<float> shift);
  ValueId max_pool(const LayerName& name, ValueId x, const PoolSpec& spec);
  ValueId avg_pool(const LayerName& name, ValueId x, const PoolSpec& spec);
  ValueId global_avg_pool(const LayerName& name, ValueId x);
  // To `side` pixels a side.
  ValueId adaptive_avg_pool(const LayerName& name, ValueId x, int64_t side);
  // Without the last `rows` rows and as many columns.
  ValueId crop(const LayerName& name, ValueId x, int64_t rows);

  // Any other operator without weights; `channels` of its output, or elements if that is a vector.
  ValueId op(const OpDef& op, const LayerName& name, ValueId x, Attributes attrs, int64_t channels);

  // Another name of the most recent tap, or of the last one inside a module.
  void alias(const std::string& name);
  void alias(const std::string& name, const std::string& tap);
  // timm's stage numbers: module i is called i, and, from the end, i - number of modules.
  void name_stages(const std::vector<std::string>& modules);
  // Adds the last tap inside `module` to group `group`.
  void add_to_group(const std::string& group, const std::string& module);

  bool has(const std::string& tensor) const { return index_.contains(tensor); }
  // Whether the network has the layer of these tensors, which reads x, or ends there.
  bool continues(const std::string& key, ValueId x) const;
  // Whether a block's shortcut has the layer of these tensors, or is x itself.
  bool projects(const std::string& key, ValueId x) const;
  // Dimensions of a tensor; 0 if there is none of that name.
  size_t rank(const std::string& tensor) const;
  // Leaves out the tensors whose names begin so. True if there are any.
  bool leave_out(const std::string& prefix);
  std::string last_tap() const { return model_.taps.empty() ? "" : model_.taps.back().name; }
  // Output channels of a value, as built so far.
  int64_t channels(ValueId value) const;

  // The model; an error if something did not fit, or a tensor is left over.
  Result<ModelData> finish(std::string architecture, const Preprocess& preprocess);

 private:
  // The tensor `name`, whose dims must be `expected` (-1: any size); errors if it is missing, used
  // already, of integers, or not finite.
  WeightId claim(const std::string& name, const std::vector<int64_t>& expected);
  // The same for the weights of linear(), kept as a matrix.
  WeightId claim_matrix(const std::string& name, int64_t ic, int64_t side);
  ValueId pool(const OpDef& op, const LayerName& name, ValueId x, const PoolSpec& spec);
  int64_t groups_of(const LayerName& name, int64_t ic, const ConvSpec& spec) const;
  WeightId constant(const std::string& name, std::vector<float> values);
  // Names what the follower found.
  ValueId found(const OpDef& op, const LayerName& name, ValueId value);
  ValueId found_batchnorm(const LayerName& name, ValueId x);
  ValueId found_concat(const LayerName& name, const std::vector<ValueId>& maps);
  Result<ModelData> finish_following(const std::string& architecture);
  ValueId layer(const OpDef& op, const LayerName& name, std::vector<ValueId> inputs,
                std::vector<WeightId> weights, Attributes attrs, int64_t channels);
  void claim_counter(const std::string& name);
  void check_variance(const std::string& name, WeightId var);
  // Its size along a dimension; 0 if it has none such.
  int64_t dim(const std::string& tensor, size_t axis) const;
  int last_tap_inside(const std::string& module);
  void fail(std::string message);

  StateDict weights_;
  std::map<std::string, size_t> index_;
  std::vector<bool> claimed_;
  std::vector<std::vector<float>> tensors_;
  std::vector<int64_t> channels_;  // by value
  ModelData model_;
  Status status_;
  std::optional<GraphFollower> follower_;
};

}  // namespace penult::converters
