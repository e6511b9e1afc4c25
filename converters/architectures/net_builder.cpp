#include "converters/architectures/net_builder.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/graph/memory_weights.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

// -1 stands for any size.
bool dims_match(const std::vector<int64_t>& expected, const std::vector<int64_t>& got) {
  if (expected.size() != got.size()) return false;
  for (size_t i = 0; i < got.size(); ++i) {
    if (got[i] < 1 || (expected[i] != -1 && expected[i] != got[i])) return false;
  }
  return true;
}

std::string dims_text(const std::vector<int64_t>& dims) {
  std::string text = "(";
  for (size_t i = 0; i < dims.size(); ++i) {
    text += concat(i != 0 ? "," : "", dims[i] == -1 ? "*" : std::to_string(dims[i]));
  }
  return text + ")";
}

// Damage, or a training run that diverged: no feature of such a net means anything.
std::string describe_nonfinite(const std::vector<float>& values) {
  const auto bad = [](float x) { return !std::isfinite(x); };
  const auto count = std::count_if(values.begin(), values.end(), bad);
  if (count == 0) return "";
  const auto first = std::find_if(values.begin(), values.end(), bad) - values.begin();
  return concat(count, " of its ", values.size(), " numbers are not finite, the first is number ",
                first);
}

}  // namespace

const NamedTensor* find(const StateDict& weights, std::string_view name) {
  for (const NamedTensor& tensor : weights.tensors) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

bool has_shape(const StateDict& weights, std::string_view name, const std::vector<int64_t>& dims) {
  const NamedTensor* tensor = find(weights, name);
  return tensor != nullptr && dims_match(dims, tensor->dims);
}

NetBuilder::NetBuilder(StateDict&& weights)
    : weights_(std::move(weights)), claimed_(weights_.tensors.size(), false) {
  for (size_t i = 0; i < weights_.tensors.size(); ++i) index_[weights_.tensors[i].name] = i;
  model_.graph.input = model_.graph.add_value("input");
  channels_ = {3};
  if (weights_.following != nullptr) follower_.emplace(*weights_.following->graph);
}

void NetBuilder::fail(std::string message) {
  if (status_.ok()) status_ = Status(StatusCode::kModelInvalid, std::move(message));
}

WeightId NetBuilder::claim(const std::string& name, const std::vector<int64_t>& expected) {
  if (!status_.ok()) return 0;
  const auto found = index_.find(name);
  if (found == index_.end()) {
    fail(concat("tensor ", quote(name), " is missing, expected shape ", dims_text(expected)));
    return 0;
  }
  NamedTensor& tensor = weights_.tensors[found->second];
  if (tensor.is_counter || !dims_match(expected, tensor.dims)) {
    fail(concat("tensor ", quote(name), " has shape ", tensor.dims,
                tensor.is_counter ? " of integers" : "", ", expected ", dims_text(expected)));
    return 0;
  }
  if (claimed_[found->second]) {
    fail(concat("tensor ", quote(name), " is used twice"));
    return 0;
  }
  if (const std::string bad = describe_nonfinite(tensor.data); !bad.empty()) {
    fail(concat("tensor ", quote(name), ": ", bad, "; is the file damaged?"));
    return 0;
  }
  claimed_[found->second] = true;
  model_.graph.weights.push_back({name, tensor.dims});
  tensors_.push_back(std::move(tensor.data));
  return static_cast<WeightId>(tensors_.size()) - 1;
}

// PyTorch's number of training batches: known, and of no use here.
void NetBuilder::claim_counter(const std::string& name) {
  const auto found = index_.find(name);
  if (found == index_.end()) return;
  const NamedTensor& tensor = weights_.tensors[found->second];
  if (tensor.is_counter && tensor.dims.empty()) claimed_[found->second] = true;
}

void NetBuilder::check_variance(const std::string& name, WeightId var) {
  if (!status_.ok()) return;
  const auto lowest = std::min_element(tensors_[var].begin(), tensors_[var].end());
  if (*lowest < 0) {
    fail(concat("tensor ", quote(name), ": a variance of ", static_cast<double>(*lowest),
                ", expected none below 0"));
  }
}

ValueId NetBuilder::layer(const OpDef& op, const LayerName& name, std::vector<ValueId> inputs,
                          std::vector<WeightId> weights, Attributes attrs, int64_t channels) {
  if (!status_.ok()) return 0;
  if (follower_) return found(op, name, follower_->layer(op, inputs));
  const ValueId value =
      model_.graph.add_node(op, name.tap, std::move(inputs), std::move(weights), std::move(attrs));
  channels_.resize(static_cast<size_t>(value) + 1);
  channels_[value] = channels;
  model_.taps.push_back({.name = name.tap, .value = value});
  for (const std::string& other : name.also) alias(other);
  return value;
}

int64_t NetBuilder::channels(ValueId value) const {
  return follower_ ? follower_->channels(value) : channels_[value];
}

// As many channels as a group has in the weights; a width that these do not divide does not fit.
int64_t NetBuilder::groups_of(const LayerName& name, int64_t ic, const ConvSpec& spec) const {
  if (spec.depthwise || spec.groups != 0) return spec.depthwise ? ic : spec.groups;
  const int64_t in_group = dim(name.key + ".weight", 1);
  return in_group > 0 && in_group < ic ? ic / in_group : 1;
}

ValueId NetBuilder::conv(const LayerName& name, ValueId x, const ConvSpec& spec) {
  if (!status_.ok()) return 0;
  if (follower_) return found(kConv2d, name, follower_->conv(x, spec));
  const int64_t ic = channels(x), groups = groups_of(name, ic, spec);
  const int64_t oc = spec.depthwise ? ic : spec.channels != 0 ? spec.channels : -1;
  const bool square = spec.kernel_w == 0;
  const int64_t kw = square ? spec.kernel : spec.kernel_w;
  const int64_t top = spec.padding, left = square ? spec.padding : spec.padding_w;
  const WeightId weight = claim(name.key + ".weight", {oc, ic / groups, spec.kernel, kw});
  if (!status_.ok()) return 0;
  const WeightId bias = has(name.key + ".bias")
                            ? claim(name.key + ".bias", {model_.graph.weights[weight].dims[0]})
                            : kNoWeight;
  Attributes attrs;
  attrs.set("strides", {spec.stride, spec.stride});
  attrs.set("groups", groups);
  attrs.set("pads", {top, left, top, left});
  attrs.set("pad_mode", spec.same_padding ? 1 : 0);
  return layer(kConv2d, name, {x}, {weight, bias}, std::move(attrs),
               model_.graph.weights[weight].dims[0]);
}

ValueId NetBuilder::batchnorm(const LayerName& name, ValueId x, float eps) {
  if (follower_) return found_batchnorm(name, x);
  const int64_t c = channels(x);
  const WeightId gamma = claim(name.key + ".weight", {c}), beta = claim(name.key + ".bias", {c});
  const WeightId mean = claim(name.key + ".running_mean", {c});
  const WeightId var = claim(name.key + ".running_var", {c});
  check_variance(name.key + ".running_var", var);
  claim_counter(name.key + ".num_batches_tracked");
  Attributes attrs;
  attrs.set_float("eps", eps);
  return layer(kBatchnorm, name, {x}, {gamma, beta, mean, var}, std::move(attrs), c);
}

// A convolution over the whole map is a linear layer of the flattened map, and its weights are in
// the same order.
WeightId NetBuilder::claim_matrix(const std::string& name, int64_t ic, int64_t side) {
  const WeightId weight =
      rank(name) == 4 ? claim(name, {-1, ic / (side * side), side, side}) : claim(name, {-1, ic});
  if (!status_.ok()) return 0;
  std::vector<int64_t>& dims = model_.graph.weights[weight].dims;
  dims = {dims[0], ic};
  return weight;
}

ValueId NetBuilder::linear(const LayerName& name, ValueId x, int64_t side) {
  if (follower_) return layer(kLinear, name, {x}, {}, {}, 0);
  const WeightId weight = claim_matrix(name.key + ".weight", channels(x), side);
  if (!status_.ok()) return 0;
  const int64_t oc = model_.graph.weights[weight].dims[0];
  const WeightId bias = claim(name.key + ".bias", {oc});
  return layer(kLinear, name, {x}, {weight, bias}, {}, oc);
}

ValueId NetBuilder::activation(const OpDef& op, const LayerName& name, ValueId x) {
  return layer(op, name, {x}, {}, {}, channels(x));
}

ValueId NetBuilder::add(const LayerName& name, ValueId x, ValueId y) {
  return layer(kAdd, name, {x, y}, {}, {}, channels(x));
}

ValueId NetBuilder::concat_channels(const LayerName& name, const std::vector<ValueId>& maps) {
  if (follower_) return found_concat(name, maps);
  int64_t sum = 0;
  for (const ValueId map : maps) sum += channels(map);
  return layer(kConcat, name, maps, {}, {}, sum);
}

ValueId NetBuilder::scale_channels(const LayerName& name, ValueId map, ValueId scale) {
  return layer(kMul, name, {map, scale}, {}, {}, channels(map));
}

WeightId NetBuilder::constant(const std::string& name, std::vector<float> values) {
  model_.graph.weights.push_back({name, {static_cast<int64_t>(values.size())}});
  tensors_.push_back(std::move(values));
  return static_cast<WeightId>(tensors_.size()) - 1;
}

// A batchnorm of mean 0 and variance 1, with an eps that the variance swallows.
ValueId NetBuilder::affine(const LayerName& name, ValueId x, std::vector<float> scale,
                           std::vector<float> shift) {
  if (!status_.ok()) return 0;
  if (follower_) return found(kBatchnorm, name, follower_->affine(x));
  const size_t c = scale.size();
  const WeightId gamma = constant(name.key + ".weight", std::move(scale));
  const WeightId beta = constant(name.key + ".bias", std::move(shift));
  const WeightId mean = constant(name.key + ".running_mean", std::vector<float>(c, 0.0f));
  const WeightId var = constant(name.key + ".running_var", std::vector<float>(c, 1.0f));
  Attributes attrs;
  attrs.set_float("eps", std::numeric_limits<float>::denorm_min());
  return layer(kBatchnorm, name, {x}, {gamma, beta, mean, var}, std::move(attrs), channels(x));
}

ValueId NetBuilder::pool(const OpDef& op, const LayerName& name, ValueId x, const PoolSpec& spec) {
  if (!status_.ok()) return 0;
  if (follower_) return found(op, name, follower_->pool(op, x, spec));
  Attributes attrs;
  attrs.set("kernel", {spec.kernel, spec.kernel});
  attrs.set("strides", {spec.stride, spec.stride});
  attrs.set("pads", {spec.padding, spec.padding, spec.padding, spec.padding});
  if (spec.ceil) attrs.set("ceil_mode", 1);
  if (!spec.counts_padding) attrs.set("count_include_pad", 0);
  return layer(op, name, {x}, {}, std::move(attrs), channels(x));
}

ValueId NetBuilder::max_pool(const LayerName& name, ValueId x, const PoolSpec& spec) {
  return pool(kMaxPool2d, name, x, spec);
}

ValueId NetBuilder::avg_pool(const LayerName& name, ValueId x, const PoolSpec& spec) {
  return pool(kAvgPool2d, name, x, spec);
}

ValueId NetBuilder::crop(const LayerName& name, ValueId x, int64_t rows) {
  Attributes attrs;
  attrs.set("pads", {0, 0, -rows, -rows});
  return layer(kPad, name, {x}, {}, std::move(attrs), channels(x));
}

ValueId NetBuilder::global_avg_pool(const LayerName& name, ValueId x) {
  return layer(kGlobalAvgPool, name, {x}, {}, {}, channels(x));
}

ValueId NetBuilder::op(const OpDef& op, const LayerName& name, ValueId x, Attributes attrs,
                       int64_t channels) {
  return layer(op, name, {x}, {}, std::move(attrs), channels);
}

size_t NetBuilder::rank(const std::string& tensor) const {
  const auto found = index_.find(tensor);
  return found == index_.end() ? 0 : weights_.tensors[found->second].dims.size();
}

int64_t NetBuilder::dim(const std::string& tensor, size_t axis) const {
  const auto found = index_.find(tensor);
  if (found == index_.end()) return 0;
  const std::vector<int64_t>& dims = weights_.tensors[found->second].dims;
  return axis < dims.size() ? dims[axis] : 0;
}

bool NetBuilder::leave_out(const std::string& prefix) {
  bool any = false;
  for (size_t i = 0; i < claimed_.size(); ++i) {
    if (!weights_.tensors[i].name.starts_with(prefix)) continue;
    claimed_[i] = any = true;
  }
  return any;
}

void NetBuilder::alias(const std::string& name) {
  if (status_.ok()) model_.aliases.push_back({name, static_cast<int>(model_.taps.size()) - 1});
}

void NetBuilder::alias(const std::string& name, const std::string& tap) {
  const int index = last_tap_inside(tap);
  if (status_.ok()) model_.aliases.push_back({name, index});
}

void NetBuilder::name_stages(const std::vector<std::string>& modules) {
  const int count = static_cast<int>(modules.size());
  for (int i = 0; i < count; ++i) {
    alias(std::to_string(i), modules[static_cast<size_t>(i)]);
    alias(std::to_string(i - count), modules[static_cast<size_t>(i)]);
  }
}

int NetBuilder::last_tap_inside(const std::string& module) {
  if (!status_.ok()) return 0;
  const std::string prefix = module + ".";
  for (size_t i = model_.taps.size(); i-- > 0;) {
    const std::string& name = model_.taps[i].name;
    if (name == module || name.compare(0, prefix.size(), prefix) == 0) return static_cast<int>(i);
  }
  fail(concat("no tap lies inside ", quote(module)));
  return 0;
}

void NetBuilder::add_to_group(const std::string& group, const std::string& module) {
  const int tap = last_tap_inside(module);
  for (TapGroup& existing : model_.groups) {
    if (existing.name == group) {
      existing.taps.push_back(tap);
      return;
    }
  }
  model_.groups.push_back({group, {tap}});
}

Result<ModelData> NetBuilder::finish(std::string architecture, const Preprocess& preprocess) {
  if (follower_) {
    model_.info.preprocess = preprocess;
    return finish_following(architecture);
  }
  for (size_t i = 0; i < claimed_.size(); ++i) {
    const NamedTensor& tensor = weights_.tensors[i];
    if (claimed_[i]) continue;
    fail(concat("tensor ", quote(tensor.name), " of shape ", tensor.dims,
                " is used by no layer of ", architecture));
  }
  if (!status_.ok()) return status_;
  model_.graph.source = std::make_shared<MemoryWeights>(std::move(tensors_));
  model_.info.architecture = std::move(architecture);
  model_.info.preprocess = preprocess;
  model_.info.input_h = preprocess.crop_h;
  model_.info.input_w = preprocess.crop_w;
  return std::move(model_);
}

}  // namespace penult::converters
