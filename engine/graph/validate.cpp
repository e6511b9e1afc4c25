#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/graph/graph.h"
#include "engine/ops/op.h"

namespace penult {
namespace {

template <typename... Pieces>
Status invalid(const Pieces&... pieces) {
  return Status(StatusCode::kModelInvalid, concat(pieces...));
}

std::string describe(const Node& node) { return concat("node ", quote(node.name), ": "); }

template <typename Container>
bool in_range(int32_t id, const Container& items) {
  return id >= 0 && static_cast<size_t>(id) < items.size();
}

// Names of one kind of thing: well formed, and each used once. A tree, since names come from
// outside: nobody can choose them so that look-ups become slow.
class Names {
 public:
  explicit Names(const char* kind) : kind_(kind) {}

  Status add(std::string_view name) {
    if (!is_valid_name(name)) {
      return invalid(kind_, " name ", quote(name), ": expected 1..", kMaxNameBytes,
                     " bytes of UTF-8 without control characters");
    }
    if (!seen_.insert(name).second) {
      return invalid(kind_, " name ", quote(name), ": expected unique names, got it twice");
    }
    return Status();
  }

 private:
  const char* kind_;
  std::set<std::string_view> seen_;
};

Status check_counts(const Graph& graph) {
  const auto check = [](const char* what, size_t count, size_t limit) {
    if (count <= limit) return Status();
    return invalid("graph: expected at most ", limit, " ", what, ", got ", count);
  };
  PENULT_RETURN_IF_ERROR(check("nodes", graph.nodes.size(), Graph::kMaxNodes));
  PENULT_RETURN_IF_ERROR(check("weights", graph.weights.size(), Graph::kMaxWeights));
  // One for each node, and the input.
  return check("values", graph.values.size(), Graph::kMaxNodes + 1);
}

Status check_weight(const WeightInfo& weight) {
  const auto where = [&] { return concat("weight ", quote(weight.name), ": "); };
  if (weight.dims.size() > Graph::kMaxRank) {
    return invalid(where(), "expected rank up to ", Graph::kMaxRank, ", got ", weight.dims.size());
  }
  for (const int64_t dim : weight.dims) {
    if (dim < 1 || dim > Graph::kMaxDim) {
      return invalid(where(), "expected dims in 1..", Graph::kMaxDim, ", got ", weight.dims);
    }
  }
  const auto elems = checked_product(weight.dims);
  if (!elems || *elems > Graph::kMaxElems) {
    return invalid(where(), "expected up to ", Graph::kMaxElems, " elements, got ", weight.dims);
  }
  return Status();
}

Status check_weights(const Graph& graph) {
  Names names("weight");
  for (const WeightInfo& weight : graph.weights) {
    PENULT_RETURN_IF_ERROR(names.add(weight.name));
    PENULT_RETURN_IF_ERROR(check_weight(weight));
  }
  return Status();
}

Status check_values(const Graph& graph) {
  Names names("value");
  for (const Value& value : graph.values) PENULT_RETURN_IF_ERROR(names.add(value.name));
  if (!in_range(graph.input, graph.values)) {
    return invalid("graph input: expected a value below ", graph.values.size(), ", got ",
                   graph.input);
  }
  return Status();
}

// `defined[v]`: v is the input or produced by an earlier node.
Status check_read(const Graph& graph, const Node& node, ValueId value, const char* what,
                  const std::vector<bool>& defined) {
  if (!in_range(value, graph.values)) {
    return invalid(describe(node), what, ": expected a value below ", graph.values.size(), ", got ",
                   value);
  }
  if (!defined[static_cast<size_t>(value)]) {
    return invalid(describe(node), what, ": expected a value of an earlier node, got ",
                   quote(graph.values[static_cast<size_t>(value)].name));
  }
  return Status();
}

Status check_inputs(const Graph& graph, const Node& node, const std::vector<bool>& defined) {
  const InputCount& count = node.op->inputs;
  if (node.inputs.size() > Graph::kMaxInputs || !count.allows(node.inputs.size())) {
    const std::string most = count.min == count.max ? "" : concat("..", count.max);
    return invalid(describe(node), "expected ", count.min, most, " inputs for ", node.op->name,
                   ", got ", node.inputs.size());
  }
  for (const ValueId input : node.inputs) {
    PENULT_RETURN_IF_ERROR(check_read(graph, node, input, "input", defined));
  }
  return Status();
}

Status check_slot(const Graph& graph, const Node& node, const WeightSpec& spec, WeightId id) {
  const auto where = [&] { return concat(describe(node), "weight ", quote(spec.name), ": "); };
  if (id == kNoWeight) {
    return spec.required ? invalid(where(), "required by ", node.op->name, ", got none") : Status();
  }
  if (!in_range(id, graph.weights)) {
    return invalid(where(), "expected a weight below ", graph.weights.size(), ", got ", id);
  }
  const WeightInfo& weight = graph.weights[static_cast<size_t>(id)];
  if (weight.dims.size() != static_cast<size_t>(spec.rank)) {
    return invalid(where(), "expected rank ", spec.rank, ", got ", weight.dims, " of ",
                   quote(weight.name));
  }
  return Status();
}

Status check_slots(const Graph& graph, Node& node) {
  const auto specs = node.op->weights;
  if (node.weights.size() > specs.size()) {
    return invalid(describe(node), "expected up to ", specs.size(), " weights for ", node.op->name,
                   ", got ", node.weights.size());
  }
  node.weights.resize(specs.size(), kNoWeight);
  for (size_t i = 0; i < specs.size(); ++i) {
    PENULT_RETURN_IF_ERROR(check_slot(graph, node, specs[i], node.weights[i]));
  }
  return Status();
}

Status check_fused(const Graph& graph, const Node& node, const std::vector<bool>& defined) {
  const Fused& fused = node.fused;
  const bool epilogue = fused.residual != kNoValue || fused.activation != Activation{};
  if (epilogue && !node.op->takes_epilogue) {
    return invalid(describe(node), "operator ", node.op->name, " takes no fused epilogue");
  }
  if (fused.residual != kNoValue) {
    PENULT_RETURN_IF_ERROR(check_read(graph, node, fused.residual, "residual", defined));
  }
  if (!fused.batchnorm) return Status();
  const FoldedBatchnorm& batchnorm = *fused.batchnorm;
  if (!node.op->folds_batchnorm || !std::isfinite(batchnorm.eps) || !(batchnorm.eps > 0)) {
    return invalid(describe(node), "operator ", node.op->name,
                   " cannot hold a folded batchnorm of eps ", double{batchnorm.eps});
  }
  const std::array ids = {batchnorm.gamma, batchnorm.beta, batchnorm.mean, batchnorm.var};
  for (size_t i = 0; i < ids.size(); ++i) {
    PENULT_RETURN_IF_ERROR(check_slot(graph, node, kBatchnorm.weights[i], ids[i]));
  }
  return Status();
}

Status check_output(const Graph& graph, const Node& node, std::vector<bool>& defined) {
  if (!in_range(node.output, graph.values)) {
    return invalid(describe(node), "output: expected a value below ", graph.values.size(), ", got ",
                   node.output);
  }
  const std::string& name = graph.values[static_cast<size_t>(node.output)].name;
  if (name != node.name) {
    return invalid(describe(node), "output: expected a value of the same name, got ", quote(name));
  }
  if (defined[static_cast<size_t>(node.output)]) {
    return invalid(describe(node), "output: expected one producer for each value, got a second");
  }
  defined[static_cast<size_t>(node.output)] = true;
  return Status();
}

Status check_node(const Graph& graph, Node& node, std::vector<bool>& defined) {
  if (node.op == nullptr) return invalid(describe(node), "expected an operator, got none");
  PENULT_RETURN_IF_ERROR(check_inputs(graph, node, defined));
  PENULT_RETURN_IF_ERROR(check_slots(graph, node));
  if (const Status status = check_attributes(*node.op, node.attrs); !status.ok()) {
    return Status(status.code(), describe(node) + status.message());
  }
  PENULT_RETURN_IF_ERROR(check_fused(graph, node, defined));
  return check_output(graph, node, defined);
}

}  // namespace

Status validate(Graph& graph) {
  PENULT_RETURN_IF_ERROR(check_counts(graph));
  PENULT_RETURN_IF_ERROR(check_weights(graph));
  PENULT_RETURN_IF_ERROR(check_values(graph));
  std::vector<bool> defined(graph.values.size(), false);
  defined[static_cast<size_t>(graph.input)] = true;
  for (Node& node : graph.nodes) PENULT_RETURN_IF_ERROR(check_node(graph, node, defined));
  for (const ValueId output : graph.outputs) {
    if (!in_range(output, graph.values) || !defined[static_cast<size_t>(output)]) {
      return invalid("graph output: expected a value that a node produces, got ", output);
    }
  }
  return Status();
}

}  // namespace penult
