// The words of NetBuilder where they look for layers in a graph.

#include "converters/architectures/net_builder.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters {

ValueId NetBuilder::found(const OpDef& op, const LayerName& name, ValueId value) {
  if (!status_.ok()) return 0;
  if (value == kNoValue) {
    fail(concat("no ", op.name, " is there where ", quote(name.tap), " should be"));
    return 0;
  }
  model_.taps.push_back({.name = name.tap, .value = value});
  for (const std::string& other : name.also) alias(other);
  return value;
}

// A batchnorm that vanished in the convolution before it: what that yields is the normalised map,
// and the place before is no more.
ValueId NetBuilder::found_batchnorm(const LayerName& name, ValueId x) {
  if (!status_.ok()) return 0;
  const ValueId value = follower_->layer(kBatchnorm, {x});
  const bool vanished = value == kNoValue && !model_.taps.empty() &&
                        model_.taps.back().value == x && follower_->may_hold_batchnorm(x);
  if (!vanished) return found(kBatchnorm, name, value);
  auto& absorbed = weights_.following->absorbed;
  const int last = static_cast<int>(model_.taps.size()) - 1;
  absorbed.emplace_back(model_.taps.back().name, x);
  for (const Alias& alias : model_.aliases) {
    if (alias.tap == last) absorbed.emplace_back(alias.name, x);
  }
  std::erase_if(model_.aliases, [&](const Alias& alias) { return alias.tap == last; });
  model_.taps.pop_back();
  return found(kBatchnorm, name, x);
}

ValueId NetBuilder::found_concat(const LayerName& name, const std::vector<ValueId>& maps) {
  if (!status_.ok()) return 0;
  const ValueId value = follower_->concat(maps);
  if (follower_->is_of_graph(value)) return found(kConcat, name, value);
  weights_.following->absorbed.emplace_back(name.tap, kNoValue);
  return value;
}

ValueId NetBuilder::adaptive_avg_pool(const LayerName& name, ValueId x, int64_t side) {
  Attributes attrs;
  attrs.set("output_size", {side, side});
  if (!follower_) return layer(kAdaptiveAvgPool2d, name, {x}, {}, std::move(attrs), channels(x));
  const ValueId value = status_.ok() ? follower_->layer(kAdaptiveAvgPool2d, {x}) : kNoValue;
  const bool is_that_size = follower_->elems(x) == channels(x) * side * side;
  if (value != kNoValue || !is_that_size) return found(kAdaptiveAvgPool2d, name, value);
  // Of a map of that size already it is another name.
  alias(name.tap);
  for (const std::string& other : name.also) alias(other);
  return x;
}

bool NetBuilder::continues(const std::string& key, ValueId x) const {
  return follower_ ? follower_->is_read_by(x, nullptr) : has(key + ".weight");
}

bool NetBuilder::projects(const std::string& key, ValueId x) const {
  return follower_ ? !follower_->is_read_by(x, &kAdd) : has(key + ".weight");
}

Result<ModelData> NetBuilder::finish_following(const std::string& architecture) {
  if (const Node* left = follower_->first_left(); left != nullptr) {
    fail(concat(architecture, " has no layer such as ", quote(left->name)));
  }
  if (!status_.ok()) return status_;
  model_.info.architecture = architecture;
  model_.graph = {};
  return std::move(model_);
}

}  // namespace penult::converters
