#include "converters/onnx/graph_builder.h"

#include <algorithm>
#include <cmath>

#include "converters/onnx/names.h"
#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/graph/memory_weights.h"
#include "engine/ops/node_args.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

// What infer() takes for granted, since validate() looks at it first in a whole graph.
Status check_node(const Graph& graph, const penult::Node& node) {
  if (!node.op->inputs.allows(node.inputs.size())) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("expected ", node.op->inputs.min, " to ", node.op->inputs.max,
                         " inputs, got ", node.inputs.size()));
  }
  for (size_t i = 0; i < node.op->weights.size(); ++i) {
    const WeightId id = node.weights[i];
    if (id == kNoWeight) continue;
    const WeightInfo& weight = graph.weights[static_cast<size_t>(id)];
    const auto rank = static_cast<size_t>(node.op->weights[i].rank);
    if (weight.dims.size() == rank) continue;
    return Status(StatusCode::kModelInvalid, concat("tensor ", quote(weight.name), ": expected ",
                                                    rank, " dims, got ", weight.dims));
  }
  return {};
}

Status check_finite(const std::string& name, const std::vector<float>& numbers) {
  const auto bad = [](float x) { return !std::isfinite(x); };
  const auto first = std::find_if(numbers.begin(), numbers.end(), bad);
  if (first == numbers.end()) return {};
  return Status(StatusCode::kModelInvalid,
                concat("tensor ", quote(name), ": ", std::count_if(first, numbers.end(), bad),
                       " of its ", numbers.size(), " numbers are not finite, the first is number ",
                       first - numbers.begin(), "; is the file damaged?"));
}

}  // namespace

GraphBuilder::GraphBuilder(const Shape& input) : names_(1) {
  graph_.input = graph_.add_value("input", input);
}

const penult::Node* GraphBuilder::producer(ValueId value) const {
  return value == graph_.input ? nullptr : &graph_.nodes[index(value) - 1];
}

const ScalarAffine* GraphBuilder::affine_of(ValueId value) const {
  const auto found = affines_.find(value);
  return found == affines_.end() ? nullptr : &found->second;
}

Result<ValueId> GraphBuilder::add(const OpDef& op, std::vector<ValueId> inputs,
                                  std::vector<WeightId> weights, Attributes attrs) {
  PENULT_RETURN_IF_ERROR(check_attributes(op, attrs));
  if (graph_.nodes.size() >= Graph::kMaxNodes) {
    return Status(StatusCode::kLimitExceeded,
                  concat("expected at most ", Graph::kMaxNodes, " nodes"));
  }
  const ValueId value =
      graph_.add_node(op, "", std::move(inputs), std::move(weights), std::move(attrs));
  names_.emplace_back();
  penult::Node& node = graph_.nodes.back();
  PENULT_RETURN_IF_ERROR(check_node(graph_, node));
  const NodeArgs args(graph_, node);
  node.resolved = node.attrs;
  if (op.resolve != nullptr) op.resolve(node.resolved, args.with(node.attrs));
  PENULT_ASSIGN_OR_RETURN(const Shape shape, op.infer(args.with(node.resolved)));
  const auto elems = checked_product(std::vector<int64_t>{shape.c, shape.h, shape.w});
  if (!elems || *elems > Graph::kMaxElems || std::max({shape.c, shape.h, shape.w}) > Graph::kMaxDim)
    return Status(StatusCode::kLimitExceeded, concat("the result would be ", shape.to_string()));
  graph_.values[index(value)].shape = shape;
  return value;
}

Result<WeightId> GraphBuilder::weight(const std::string& name, const Constant& tensor,
                                      std::vector<int64_t> dims) {
  const auto known = ids_.find({tensor.get(), dims});
  if (known != ids_.end()) return known->second;
  const auto elems = checked_product(dims);
  if (tensor->is_integer || !elems || *elems != tensor->floats.size() || *elems == 0) {
    return Status(StatusCode::kModelInvalid, concat("tensor ", quote(name), ": expected ", dims,
                                                    " numbers, at least one, got ", tensor->dims,
                                                    tensor->is_integer ? " integers" : ""));
  }
  PENULT_RETURN_IF_ERROR(check_finite(name, tensor->floats));
  const auto id = static_cast<WeightId>(weights_.size());
  graph_.weights.push_back({name, dims});
  weights_.push_back({name, tensor, dims});
  ids_[{tensor.get(), std::move(dims)}] = id;
  return id;
}

void GraphBuilder::add_names(ValueId value, ValueNames names, const std::string& op) {
  Names& known = names_[index(value)];
  if (known.names.empty()) known.op = op;
  known.names.push_back(std::move(names));
}

std::vector<bool> GraphBuilder::find_needed(const std::vector<ValueId>& outputs) const {
  std::vector<bool> needed(graph_.values.size(), false);
  for (const ValueId output : outputs) needed[index(output)] = true;
  for (size_t i = graph_.nodes.size(); i-- > 0;) {
    if (!needed[i + 1]) continue;
    for (const ValueId input : graph_.nodes[i].inputs) needed[index(input)] = true;
  }
  return needed;
}

// Values and nodes close ranks; the input stays number 0.
void GraphBuilder::keep(const std::vector<bool>& needed) {
  Graph kept;
  kept.weights = std::move(graph_.weights);
  std::vector<ValueId> moved(needed.size(), 0);
  std::vector<Names> names = {std::move(names_[0])};
  kept.input = kept.add_value("input", graph_.values[0].shape);
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (!needed[i + 1]) continue;
    penult::Node& node = graph_.nodes[i];
    for (ValueId& input : node.inputs) input = moved[index(input)];
    moved[i + 1] = node.output = kept.add_value("", graph_.values[i + 1].shape);
    kept.nodes.push_back(std::move(node));
    names.push_back(std::move(names_[i + 1]));
  }
  graph_ = std::move(kept);
  names_ = std::move(names);
}

// Only weights that a node still reads, each tensor moved if nothing else holds it.
void GraphBuilder::take_weights(Graph& graph) {
  std::vector<WeightId> moved(weights_.size(), kNoWeight);
  std::vector<std::vector<float>> numbers;
  std::vector<WeightInfo> infos;
  UniqueNames names;
  for (penult::Node& node : graph.nodes) {
    for (WeightId& id : node.weights) {
      if (id == kNoWeight) continue;
      WeightId& to = moved[static_cast<size_t>(id)];
      if (to == kNoWeight) {
        to = static_cast<WeightId>(infos.size());
        Weight& weight = weights_[static_cast<size_t>(id)];
        infos.push_back({names.add(weight.name), std::move(weight.dims)});
        // Made by make_shared<Tensor>, so the object itself is not const.
        auto& tensor = const_cast<Tensor&>(*weight.numbers);
        numbers.push_back(weight.numbers.use_count() == 1 ? std::move(tensor.floats)
                                                          : tensor.floats);
        weight.numbers.reset();
      }
      id = to;
    }
  }
  graph.weights = std::move(infos);
  graph.source = std::make_shared<MemoryWeights>(std::move(numbers));
}

Result<SourceGraph> GraphBuilder::finish(const std::vector<ValueId>& outputs) {
  keep(find_needed(outputs));
  if (graph_.nodes.empty()) {
    return Status(StatusCode::kFormatUnsupported,
                  "the graph has no layer between input and output");
  }
  SourceGraph source;
  std::vector<std::vector<ValueNames>> names;
  std::vector<std::string> ops;
  for (Names& value : names_) {
    source.names.push_back(value.names.empty() ? ValueNames{} : value.names[0]);
    names.push_back(std::move(value.names));
    ops.push_back(std::move(value.op));
  }
  take_weights(graph_);
  source.model.graph = std::move(graph_);
  name_taps(names, ops, source.model);
  return source;
}

}  // namespace penult::converters::onnx
