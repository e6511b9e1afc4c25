#include <map>
#include <set>
#include <string_view>

#include "converters/onnx/external_data.h"
#include "converters/onnx/node_order.h"
#include "converters/onnx/onnx_file.pb.h"
#include "converters/onnx/onnx_model.h"
#include "converters/onnx/read_model_node.h"
#include "converters/onnx/tensor.h"
#include "converters/onnx/wire_check.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

constexpr int64_t kOldestIr = 3, kNewestIr = 14;
constexpr int64_t kOldestOpset = 6, kNewestOpset = 28;

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}
Status unsupported(std::string message) {
  return Status(StatusCode::kFormatUnsupported, std::move(message));
}
Status within(const std::string& where, const Status& status) {
  return Status(status.code(), concat(where, ": ", status.message()));
}

Status read_opsets(const onnx_file::ModelHead& head, OnnxModel& model) {
  std::map<std::string, int64_t> versions;
  for (const onnx_file::OpsetId& opset : head.opset_import()) {
    const std::string domain = domain_name(opset.domain());
    const auto [known, added] = versions.emplace(domain, opset.version());
    if (known->second != opset.version()) {
      return corrupt(concat("opset_import gives the domain ", quote(domain), " the versions ",
                            known->second, " and ", opset.version()));
    }
    if (added && !domain.empty()) model.other_opsets.emplace_back(domain, opset.version());
  }
  if (!versions.contains("")) return corrupt("opset_import does not say the version of ONNX");
  model.opset = versions[""];
  if (model.opset >= kOldestOpset && model.opset <= kNewestOpset) return {};
  return unsupported(concat("its operators are of opset ", model.opset, ", penult knows ",
                            kOldestOpset, " to ", kNewestOpset,
                            "; export it for one of these, or use onnx.version_converter"));
}

Status read_head(const WireParts& parts, OnnxModel& model) {
  onnx_file::ModelHead head;
  if (!head.ParseFromString(parts.model)) return corrupt("the head of the model is damaged");
  if (!head.has_ir_version()) return corrupt("no ONNX file: it has no ir_version");
  model.ir_version = head.ir_version();
  if (model.ir_version < kOldestIr || model.ir_version > kNewestIr) {
    return unsupported(concat("it is of ONNX's IR version ", model.ir_version, ", penult knows ",
                              kOldestIr, " to ", kNewestIr,
                              "; export it for an opset of these versions"));
  }
  model.producer = head.producer_name();
  if (!head.producer_version().empty()) {
    model.producer += (model.producer.empty() ? "" : " ") + head.producer_version();
  }
  return read_opsets(head, model);
}

Status read_initializers(const WireParts& parts, ExternalData& external, OnnxModel& model) {
  for (size_t i = 0; i < parts.initializers.size(); ++i) {
    const TensorWire wire = split_tensor(parts.initializers[i]);
    onnx_file::Tensor tensor;
    if (!tensor.ParseFromString(wire.fields)) {
      return corrupt(concat("initializer number ", i, " is damaged"));
    }
    const std::string where = concat("initializer ", quote(tensor.name()));
    if (tensor.name().empty()) return corrupt(concat("initializer number ", i, " has no name"));
    if (model.initializers.contains(tensor.name())) return corrupt(where + " occurs twice");
    Result<Tensor> numbers = read_tensor(tensor, wire.raw, external);
    if (!numbers.ok()) return within(where, numbers.status());
    model.initializers.emplace(tensor.name(), std::move(*numbers));
  }
  return {};
}

Result<Input> read_input(const onnx_file::ValueInfo& from) {
  Input input;
  input.name = from.name();
  const std::string where = concat("input ", quote(input.name));
  if (!from.type().has_tensor_type()) return unsupported(where + " is no tensor");
  const onnx_file::TensorType& type = from.type().tensor_type();
  if (!is_float_type(type.elem_type())) input.type = type_name(type.elem_type());
  if (!type.has_shape()) {
    return unsupported(where + " has no shape, not even one of open sizes; export it with one");
  }
  for (const onnx_file::Dimension& dim : type.shape().dim()) {
    if (dim.has_dim_value() && dim.dim_value() < 0 && dim.dim_value() != -1) {
      return corrupt(concat(where, " has a dimension of ", dim.dim_value()));
    }
    // Some writers say 0 or -1 for "open"; no image has 0 of anything.
    input.dims.push_back(dim.dim_value() > 0 ? dim.dim_value() : -1);
  }
  return input;
}

Status read_ends(const WireParts& parts, OnnxModel& model) {
  onnx_file::GraphHead head;
  if (!head.ParseFromString(parts.graph)) return corrupt("the head of the graph is damaged");
  for (const onnx_file::ValueInfo& from : head.input()) {
    if (model.initializers.contains(from.name())) continue;
    PENULT_ASSIGN_OR_RETURN(Input input, read_input(from));
    model.inputs.push_back(std::move(input));
  }
  for (const onnx_file::ValueInfo& from : head.output()) model.outputs.push_back(from.name());
  return {};
}

// Each name has one source. What nodes read is looked at when they are put in order.
Status check_names(const OnnxModel& model) {
  std::set<std::string_view> known;
  for (const auto& [name, tensor] : model.initializers) known.insert(name);
  for (const Input& input : model.inputs) {
    if (input.name.empty()) return corrupt("an input has no name");
    if (!known.insert(input.name).second) {
      return corrupt(concat("input ", quote(input.name), " occurs twice"));
    }
  }
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    const Node& node = model.nodes[i];
    for (const std::string& name : node.outputs) {
      if (name.empty() || known.insert(name).second) continue;
      return corrupt(
          concat(describe_node(node, i), " yields ", quote(name), ", which is there already"));
    }
  }
  if (model.outputs.empty()) return corrupt("the graph has no outputs");
  for (const std::string& name : model.outputs) {
    if (known.contains(name)) continue;
    return corrupt(concat("output ", quote(name), " is yielded by no node"));
  }
  return {};
}

}  // namespace

bool is_onnx(std::span<const uint8_t> head, std::string_view path) {
  // The field ir_version, of one byte, then the tag of one that may follow it: producer's name or
  // version, domain, model version, doc string, graph, opset_import. Then not two zeros, which no
  // model has there, but a safetensors file whose first 8 bytes, a length, begin like these.
  constexpr uint8_t kIrVersion = 0x08;
  constexpr std::string_view kNext = "\x12\x1a\x22\x28\x32\x3a\x42";
  const bool looks_like = head.size() >= 5 && head[0] == kIrVersion && head[1] > 0 &&
                          head[1] < 0x80 &&
                          kNext.find(static_cast<char>(head[2])) != std::string_view::npos &&
                          (head[3] != 0 || head[4] != 0);
  return looks_like || path.ends_with(".onnx");
}

Result<OnnxModel> read_onnx_model(const std::string& path, const OnnxReadOptions& options) {
  PENULT_ASSIGN_OR_RETURN(const std::vector<uint8_t> file, read_file(path, kMaxOnnxBytes));
  PENULT_ASSIGN_OR_RETURN(const WireParts parts, check_wire(file));
  ExternalData external(path, options.external_data);
  OnnxModel model;
  PENULT_RETURN_IF_ERROR(read_head(parts, model));
  model.nodes.reserve(parts.nodes.size());
  for (const auto bytes : parts.nodes) {
    PENULT_ASSIGN_OR_RETURN(Node node, read_node(bytes, model.nodes.size(), external));
    model.nodes.push_back(std::move(node));
  }
  PENULT_RETURN_IF_ERROR(read_initializers(parts, external, model));
  model.data_files = external.files();
  PENULT_RETURN_IF_ERROR(read_ends(parts, model));
  PENULT_RETURN_IF_ERROR(check_names(model));
  PENULT_RETURN_IF_ERROR(sort_nodes(model));
  return model;
}

}  // namespace penult::converters::onnx
