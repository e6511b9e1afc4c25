#include "converters/architectures/graph_follower.h"

#include <algorithm>
#include <array>

#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

size_t index(ValueId value) { return static_cast<size_t>(value); }

bool has_ints(const Node& node, const char* name, const std::vector<int64_t>& expected) {
  const Attribute* attribute = node.resolved.find(name);
  return attribute != nullptr && attribute->ints == expected;
}

// TensorFlow's SAME: as many outputs as strides fit in, the odd pixel at the end.
std::array<int64_t, 2> same_pads(int64_t size, int64_t kernel, int64_t stride) {
  const int64_t count = (size + stride - 1) / stride;
  const int64_t pads = std::max<int64_t>(0, (count - 1) * stride + kernel - size);
  return {pads / 2, pads - pads / 2};
}

}  // namespace

GraphFollower::GraphFollower(const Graph& graph)
    : graph_(graph),
      readers_(graph.values.size()),
      producers_(graph.values.size(), nullptr),
      taken_(graph.nodes.size(), false) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    producers_[index(node.output)] = &node;
    for (const ValueId input : node.inputs) {
      std::vector<size_t>& readers = readers_[index(input)];
      if (readers.empty() || readers.back() != i) readers.push_back(i);
    }
  }
}

const std::vector<size_t>& GraphFollower::readers(ValueId value) const {
  static const std::vector<size_t> kNone;
  return is_of_graph(value) ? readers_[index(value)] : kNone;
}

int64_t GraphFollower::channels(ValueId value) const {
  return is_of_graph(value) ? graph_.values[index(value)].shape.c : 0;
}

int64_t GraphFollower::elems(ValueId value) const {
  if (!is_of_graph(value)) return 0;
  const Shape& shape = graph_.values[index(value)].shape;
  return shape.c * shape.h * shape.w;
}

template <typename Fits>
ValueId GraphFollower::take(ValueId x, const Fits& fits) {
  for (const size_t i : readers(x)) {
    if (taken_[i] || !fits(graph_.nodes[i])) continue;
    taken_[i] = true;
    return graph_.nodes[i].output;
  }
  return kNoValue;
}

bool GraphFollower::has_pads(const Node& node, ValueId x, const ConvSpec& spec) const {
  const int64_t width = spec.kernel_w == 0 ? spec.kernel : spec.kernel_w;
  const int64_t left = spec.kernel_w == 0 ? spec.padding : spec.padding_w;
  if (!spec.same_padding) return has_ints(node, "pads", {spec.padding, left, spec.padding, left});
  const Shape& shape = graph_.values[index(x)].shape;
  const auto rows = same_pads(shape.h, spec.kernel, spec.stride);
  const auto columns = same_pads(shape.w, width, spec.stride);
  return has_ints(node, "pads", {rows[0], columns[0], rows[1], columns[1]});
}

ValueId GraphFollower::conv(ValueId x, const ConvSpec& spec) {
  const int64_t ic = channels(x), width = spec.kernel_w == 0 ? spec.kernel : spec.kernel_w;
  const int64_t oc = spec.depthwise ? ic : spec.channels;
  return take(x, [&](const Node& node) {
    if (node.op != &kConv2d || node.inputs.size() != 1) return false;
    const std::vector<int64_t>& dims = graph_.weights[index(node.weights[0])].dims;
    const int64_t groups = node.resolved.get_int("groups");
    const bool same_groups = spec.depthwise ? groups == ic : groups == spec.groups;
    return dims[2] == spec.kernel && dims[3] == width && (oc == 0 || dims[0] == oc) &&
           (same_groups || spec.groups == 0) && has_pads(node, x, spec) &&
           has_ints(node, "strides", {spec.stride, spec.stride}) &&
           has_ints(node, "dilations", {1, 1});
  });
}

// Whether the last windows may end outside shows in the shapes.
ValueId GraphFollower::pool(const OpDef& op, ValueId x, const PoolSpec& spec) {
  const int64_t p = spec.padding;
  return take(x, [&](const Node& node) {
    if (node.op != &op || !has_ints(node, "kernel", {spec.kernel, spec.kernel})) return false;
    const bool counts = &op != &kAvgPool2d || p == 0 ||
                        has_ints(node, "count_include_pad", {spec.counts_padding ? 1 : 0});
    return counts && has_ints(node, "strides", {spec.stride, spec.stride}) &&
           has_ints(node, "pads", {p, p, p, p});
  });
}

ValueId GraphFollower::layer(const OpDef& op, const std::vector<ValueId>& inputs) {
  return take(inputs[0], [&](const Node& node) {
    if (node.op != &op) return false;
    if (&op != &kAdd && &op != &kMul) return node.inputs == inputs;
    return std::is_permutation(node.inputs.begin(), node.inputs.end(), inputs.begin(),
                               inputs.end());
  });
}

ValueId GraphFollower::concat(const std::vector<ValueId>& maps) {
  std::vector<ValueId> parts;
  for (const ValueId map : maps) {
    if (is_of_graph(map)) {
      parts.push_back(map);
    } else {
      const std::vector<ValueId>& joined = joined_[index(map) - graph_.values.size()];
      parts.insert(parts.end(), joined.begin(), joined.end());
    }
  }
  if (const ValueId value = layer(kConcat, parts); value != kNoValue) return value;
  joined_.push_back(std::move(parts));
  return static_cast<ValueId>(graph_.values.size() + joined_.size() - 1);
}

// Taken apart: a slice of each channel, its scale and shift, and all of them put together again.
ValueId GraphFollower::affine(ValueId x) {
  if (const ValueId whole = layer(kBatchnorm, {x}); whole != kNoValue) return whole;
  std::vector<ValueId> parts;
  const auto channels = static_cast<size_t>(this->channels(x));
  for (ValueId part; parts.size() < channels && (part = layer(kSlice, {x})) != kNoValue;) {
    for (ValueId next; (next = layer(kBatchnorm, {part})) != kNoValue;) part = next;
    parts.push_back(part);
  }
  return parts.empty() ? kNoValue : layer(kConcat, parts);
}

bool GraphFollower::may_hold_batchnorm(ValueId x) const {
  const Node* node = is_of_graph(x) ? producers_[index(x)] : nullptr;
  return node != nullptr && node->op == &kConv2d && node->weights.size() > 1 &&
         node->weights[1] != kNoWeight;
}

bool GraphFollower::is_read_by(ValueId x, const OpDef* op) const {
  const std::vector<size_t>& all = readers(x);
  return std::any_of(all.begin(), all.end(), [&](size_t i) {
    const OpDef* reader = graph_.nodes[i].op;
    return op == nullptr ? reader != &kSoftmax : reader == op;
  });
}

const Node* GraphFollower::first_left() const {
  for (size_t i = 0; i < taken_.size(); ++i) {
    const Node& node = graph_.nodes[i];
    const bool ends = node.op == &kSoftmax && readers_[index(node.output)].empty();
    if (!taken_[i] && !ends) return &node;
  }
  return nullptr;
}

}  // namespace penult::converters
