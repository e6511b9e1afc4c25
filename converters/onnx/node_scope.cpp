#include "converters/onnx/node_scope.h"

#include <algorithm>
#include <utility>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

const Symbol& no_symbol() {
  static const Symbol kNone = {.constant = std::make_shared<Tensor>()};
  return kNone;
}

const char* kind_name(Attribute::Kind kind) {
  constexpr const char* kNames[] = {"a float", "an integer", "a string", "a tensor",
                                    "floats",  "integers",   "strings",  "another kind"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace

std::string NodeScope::label() const {
  const std::string& name =
      !node_.name.empty() || node_.outputs.empty() ? node_.name : node_.outputs[0];
  return concat("node ", quote(name), " (", escape_name(node_.op), ")");
}

void NodeScope::fail(StatusCode code, const std::string& why) {
  if (ok()) status_ = Status(code, concat(label(), ": ", why));
}

void NodeScope::made_for_size() {
  if (ok() && state_.made_for_size.empty()) state_.made_for_size = label();
}

bool NodeScope::reads_size() const {
  return std::any_of(node_.inputs.begin(), node_.inputs.end(), [&](const std::string& name) {
    const auto found = state_.symbols.find(name);
    return found != state_.symbols.end() && found->second.of_size;
  });
}

Status NodeScope::finish() {
  for (const auto& [name, attribute] : node_.attributes) {
    if (!read_.contains(name)) unsupported(concat("unknown attribute ", quote(name)));
  }
  return status_;
}

const Attribute* NodeScope::find(const char* name, Attribute::Kind kind) {
  read_.insert(name);
  const auto found = node_.attributes.find(name);
  if (found == node_.attributes.end()) return nullptr;
  if (found->second.kind == kind) return &found->second;
  invalid(concat("attribute ", quote(name), ": expected ", kind_name(kind), ", got ",
                 kind_name(found->second.kind)));
  return nullptr;
}

int64_t NodeScope::int_of(const char* name, int64_t otherwise) {
  const Attribute* attribute = find(name, Attribute::Kind::kInt);
  return attribute != nullptr ? attribute->i : otherwise;
}

float NodeScope::float_of(const char* name, float otherwise) {
  const Attribute* attribute = find(name, Attribute::Kind::kFloat);
  return attribute != nullptr ? attribute->f : otherwise;
}

std::string NodeScope::string_of(const char* name, const char* otherwise) {
  const Attribute* attribute = find(name, Attribute::Kind::kString);
  return attribute != nullptr ? attribute->s : otherwise;
}

std::vector<int64_t> NodeScope::ints_of(const char* name, std::vector<int64_t> otherwise) {
  const Attribute* attribute = find(name, Attribute::Kind::kInts);
  return attribute != nullptr ? attribute->ints : otherwise;
}

void NodeScope::ignore(std::initializer_list<const char*> names) {
  read_.insert(names.begin(), names.end());
}

void NodeScope::expect_inputs(size_t least, size_t most) {
  size_t given = 0;
  for (size_t i = 0; i < inputs(); ++i) given = has_input(i) ? i + 1 : given;
  if (given >= least && given <= most) return;
  const std::string range = least == most ? concat(least) : concat(least, " to ", most);
  invalid(concat("expected ", range, " inputs, got ", given));
}

const Symbol& NodeScope::input(size_t i) {
  if (!has_input(i)) {
    invalid(concat("input ", i, " is not given"));
    return no_symbol();
  }
  const auto found = state_.symbols.find(node_.inputs[i]);
  if (found != state_.symbols.end()) return found->second;
  invalid(concat("tensor ", quote(node_.inputs[i]),
                 " is missing: it is no initializer, no input and no earlier node's output"));
  return no_symbol();
}

const Symbol& NodeScope::value(size_t i) {
  static const Symbol kInput = {.value = 0, .axes = {Role::kBatch, Role::kChannel}};
  const Symbol& symbol = input(i);
  if (symbol.is_value()) return symbol;
  unsupported(concat("input ", i, ": expected a value that depends on the image, got a constant"));
  return kInput;
}

Constant NodeScope::constant(size_t i) {
  const Symbol& symbol = input(i);
  if (symbol.constant != nullptr) return symbol.constant;
  unsupported(concat("input ", i, " (", quote(node_.inputs[i]),
                     "): expected a constant, got a value that depends on the image"));
  return no_symbol().constant;
}

std::vector<int64_t> NodeScope::ints_at(size_t i) {
  const Constant tensor = constant(i);
  if (ok() && !tensor->is_integer) invalid(concat("input ", i, ": expected integers"));
  return tensor->ints;
}

std::optional<std::vector<int64_t>> NodeScope::ints_of_or_at(const char* name, int64_t since,
                                                             size_t i) {
  if (opset() >= since) {
    if (!has_input(i)) return std::nullopt;
    return ints_at(i);
  }
  if (has_input(i)) invalid(concat("input ", i, ": an attribute before opset ", since));
  const Attribute* attribute = find(name, Attribute::Kind::kInts);
  if (attribute == nullptr) return std::nullopt;
  return attribute->ints;
}

bool NodeScope::is_only_reader(size_t i) const {
  const auto found = state_.uses.find(node_.inputs[i]);
  return found != state_.uses.end() && found->second == 1;
}

std::vector<int64_t> NodeScope::dims(const Symbol& symbol) const {
  if (!symbol.is_value()) return symbol.constant->dims;
  const Shape& shape = state_.graph.shape(symbol.value);
  std::vector<int64_t> dims;
  for (const Role role : symbol.axes) {
    const int64_t sizes[] = {state_.batch, shape.c, shape.h, shape.w, 1};
    dims.push_back(sizes[static_cast<size_t>(role)]);
  }
  return dims;
}

size_t NodeScope::axis(int64_t axis, size_t rank) {
  const auto count = static_cast<int64_t>(rank);
  if (axis >= -count && axis < count) return static_cast<size_t>(axis < 0 ? axis + count : axis);
  invalid(concat("axis ", axis, ": expected ", -count, " to ", count - 1));
  return 0;
}

ValueId NodeScope::add(const OpDef& op, std::vector<ValueId> inputs, std::vector<WeightId> weights,
                       Attributes attrs) {
  if (!ok()) return 0;
  const Result<ValueId> value =
      state_.graph.add(op, std::move(inputs), std::move(weights), std::move(attrs));
  if (value.ok()) return *value;
  fail(value.status().code(), value.status().message());
  return 0;
}

WeightId NodeScope::weight(const std::string& name, const Constant& tensor,
                           std::vector<int64_t> dims) {
  if (!ok()) return 0;
  const Result<WeightId> id = state_.graph.weight(name, tensor, std::move(dims));
  if (id.ok()) return *id;
  fail(id.status().code(), id.status().message());
  return 0;
}

WeightId NodeScope::weight(const std::string& name, std::vector<float> numbers,
                           std::vector<int64_t> dims) {
  const auto tensor = std::make_shared<Tensor>();
  tensor->dims = dims;
  tensor->floats = std::move(numbers);
  return weight(name, tensor, std::move(dims));
}

bool NodeScope::reserve(const std::vector<int64_t>& dims) {
  std::vector<int64_t> sizes =
      dims;  // a loop over an axis takes time even if there is nothing in it
  for (int64_t& size : sizes) size = size == 0 ? 1 : size;
  const auto elems = checked_product(sizes);
  if (!elems || *elems > state_.budget) {
    fail(StatusCode::kLimitExceeded,
         concat("constants: expected the graph to compute at most as many as the file holds twice "
                "over, and ",
                kFreeNumbers, " more; got a shape of ", dims));
    return false;
  }
  state_.budget -= *elems;
  return ok();
}

void NodeScope::output(size_t i, Symbol symbol) {
  if (!ok() || i >= node_.outputs.size() || node_.outputs[i].empty()) return;
  if (symbol.is_value()) {
    state_.graph.add_names(symbol.value, {node_.name, node_.outputs[i], node_.module}, node_.op);
  }
  if (!state_.symbols.emplace(node_.outputs[i], std::move(symbol)).second) {
    invalid(concat("output ", quote(node_.outputs[i]), ": this name is taken already"));
  }
}

void NodeScope::output_value(ValueId value, const Symbol& like) {
  output(0, {.value = value, .axes = like.axes, .flattened = like.flattened});
}

void NodeScope::output_constant(Tensor tensor, bool of_size) {
  output(0, {.constant = std::make_shared<Tensor>(std::move(tensor)),
             .of_size = of_size || reads_size()});
}

}  // namespace penult::converters::onnx
