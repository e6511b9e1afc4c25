#include "converters/onnx/read_model_node.h"

#include "converters/onnx/onnx_file.pb.h"
#include "converters/onnx/tensor.h"
#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

using Kind = Attribute::Kind;

// Numbers of the format.
enum AttributeType : int32_t {
  kFloat = 1,
  kInt = 2,
  kString = 3,
  kTensor = 4,
  kFloats = 6,
  kInts = 7,
  kStrings = 8,
  kLastType = 14,  // graphs, sparse tensors, types, and lists of them and of tensors
};

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

// The one field that an attribute of this type may use, besides those that are not read.
Status check_fields(const onnx_file::Attribute& from) {
  const std::pair<int32_t, bool> used[] = {{kFloat, from.has_f()},
                                           {kInt, from.has_i()},
                                           {kString, from.has_s()},
                                           {kTensor, from.has_t()},
                                           {kFloats, from.floats_size() > 0},
                                           {kInts, from.ints_size() > 0},
                                           {kStrings, from.strings_size() > 0}};
  for (const auto& [type, is_used] : used) {
    if (is_used && type != from.type()) {
      return corrupt(concat("its type is ", from.type(), ", but it holds a value of type ", type));
    }
  }
  return {};
}

Result<Attribute> read_attribute(const onnx_file::Attribute& from, ExternalData& external) {
  Attribute to;
  if (!from.ref_attr_name().empty()) {
    return Status(StatusCode::kFormatUnsupported, "it refers to an attribute of a function");
  }
  PENULT_RETURN_IF_ERROR(check_fields(from));
  switch (from.type()) {
    case kFloat:
      to.kind = Kind::kFloat;
      to.f = from.f();
      return to;
    case kInt:
      to.kind = Kind::kInt;
      to.i = from.i();
      return to;
    case kString:
      to.kind = Kind::kString;
      to.s = from.s();
      return to;
    case kTensor: {
      to.kind = Kind::kTensor;
      const std::string& raw = from.t().raw_data();
      PENULT_ASSIGN_OR_RETURN(
          to.tensor,
          read_tensor(from.t(), {reinterpret_cast<const uint8_t*>(raw.data()), raw.size()},
                      external));
      return to;
    }
    case kFloats:
      to.kind = Kind::kFloats;
      to.floats.assign(from.floats().begin(), from.floats().end());
      return to;
    case kInts:
      to.kind = Kind::kInts;
      to.ints.assign(from.ints().begin(), from.ints().end());
      return to;
    case kStrings:
      to.kind = Kind::kStrings;
      to.strings.assign(from.strings().begin(), from.strings().end());
      return to;
    default:
      if (from.type() > 0 && from.type() <= kLastType) return to;
      return corrupt(concat("its type is ", from.type()));
  }
}

std::string module_of(const onnx_file::Node& node) {
  for (const onnx_file::Entry& entry : node.metadata_props()) {
    if (entry.key() == "pkg.torch.onnx.name_scopes") return module_of_scopes(entry.value());
  }
  return module_of_name(node.name());
}

}  // namespace

std::string module_of_name(std::string_view name) {
  if (name.empty() || name.front() != '/') return "";
  std::string module;
  std::string_view before;
  // The last piece is the operator.
  for (size_t at = 1, end = name.find('/', at); end != std::string_view::npos;
       at = end + 1, end = name.find('/', at)) {
    const std::string_view piece = name.substr(at, end - at);
    if (piece.empty()) return "";
    const bool in_list = !before.empty() && piece.size() > before.size() &&
                         piece.starts_with(before) && piece[before.size()] == '.';
    // Members of a list carry its name again: "/layer1/layer1.0".
    if (in_list) {
      module += piece.substr(before.size());
    } else {
      module += concat(module.empty() ? "" : ".", piece);
    }
    before = piece;
  }
  return module;
}

std::string module_of_scopes(std::string_view scopes) {
  std::vector<std::string_view> items;
  for (size_t open = scopes.find('\''); open != std::string_view::npos;) {
    const size_t close = scopes.find('\'', open + 1);
    if (close == std::string_view::npos) return "";
    items.push_back(scopes.substr(open + 1, close - open - 1));
    open = scopes.find('\'', close + 1);
  }
  if (items.size() < 2 || !is_valid_utf8(items[items.size() - 2])) return "";
  return std::string(items[items.size() - 2]);
}

std::string describe_node(const Node& node, size_t index) {
  return concat("node ", node.name.empty() ? concat("number ", index) : quote(node.name), " (",
                escape_name(node.op), ")");
}

std::string domain_name(const std::string& domain) { return domain == "ai.onnx" ? "" : domain; }

Result<Node> read_node(std::span<const uint8_t> bytes, size_t index, ExternalData& external) {
  onnx_file::Node from;
  if (!from.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return corrupt(concat("node number ", index, " is damaged"));
  }
  Node node;
  node.name = from.name();
  node.op = from.op_type();
  node.domain = domain_name(from.domain());
  node.inputs.assign(from.input().begin(), from.input().end());
  node.outputs.assign(from.output().begin(), from.output().end());
  node.module = module_of(from);
  if (node.op.empty()) return corrupt(concat(describe_node(node, index), " has no operator"));
  for (const onnx_file::Attribute& attribute : from.attribute()) {
    Result<Attribute> value = read_attribute(attribute, external);
    const std::string where =
        concat(describe_node(node, index), ", attribute ", quote(attribute.name()), ": ");
    if (!value.ok()) return Status(value.status().code(), where + value.status().message());
    if (!node.attributes.emplace(attribute.name(), std::move(*value)).second) {
      return corrupt(where + "it is given twice");
    }
  }
  return node;
}

}  // namespace penult::converters::onnx
