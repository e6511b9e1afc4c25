#include "converters/onnx/import.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "converters/generic_names.h"
#include "converters/onnx/handlers.h"
#include "converters/onnx/input.h"
#include "converters/onnx/node_scope.h"
#include "converters/presets.h"
#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

// Which nodes the outputs need: others may be what they like.
std::vector<bool> find_needed_nodes(const OnnxModel& model) {
  std::set<std::string> wanted(model.outputs.begin(), model.outputs.end());
  std::vector<bool> needed(model.nodes.size(), false);
  for (size_t i = model.nodes.size(); i-- > 0;) {
    const Node& node = model.nodes[i];
    needed[i] = std::any_of(node.outputs.begin(), node.outputs.end(), [&](const std::string& name) {
      return !name.empty() && wanted.contains(name);
    });
    if (needed[i]) wanted.insert(node.inputs.begin(), node.inputs.end());
  }
  return needed;
}

// Quantised models compute with integers, by operators of ONNX and of ONNX Runtime: QuantizeLinear,
// QLinearConv, ConvInteger, MatMulIntegerToFloat, QGemm, MatMulNBits.
bool is_quantised(std::string_view op) {
  constexpr std::string_view kWords[] = {"uantizeLinear", "QLinear", "Integer", "QGemm", "NBits"};
  return std::any_of(std::begin(kWords), std::end(kWords),
                     [&](std::string_view word) { return op.find(word) != op.npos; });
}

// "Resize" (nodes "up1", "up2"), "Foo" of com.acme (node "f", and 3 more)
Status check_operators(const OnnxModel& model, const std::vector<bool>& needed) {
  std::map<std::string, std::vector<std::string>> unknown;  // operator -> nodes
  bool quantised = false;
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    const Node& node = model.nodes[i];
    const OperatorRow* row = node.domain.empty() ? find_operator(node.op) : nullptr;
    if (!needed[i] || (row != nullptr && row->since <= model.opset)) continue;
    quantised = quantised || is_quantised(node.op);
    const std::string domain = node.domain.empty() ? "" : concat(" of ", escape_name(node.domain));
    unknown[escape_name(node.op) + domain].push_back(
        node.name.empty() && !node.outputs.empty() ? node.outputs[0] : node.name);
  }
  if (unknown.empty()) return {};
  constexpr size_t kNamed = 3, kListed = 20;
  std::string list;
  size_t listed = 0;
  for (const auto& [op, nodes] : unknown) {
    if (listed++ == kListed) break;
    list += concat(list.empty() ? "" : ", ", op, nodes.size() == 1 ? " (node " : " (nodes ");
    for (size_t i = 0; i < std::min(kNamed, nodes.size()); ++i) {
      list += concat(i == 0 ? "" : ", ", quote(nodes[i]));
    }
    list += nodes.size() > kNamed ? concat(", and ", nodes.size() - kNamed, " more)") : ")";
  }
  const char* what = unknown.size() == 1 ? " operator that" : " operators that";
  return Status(StatusCode::kFormatUnsupported,
                concat(unknown.size(), what, " penult does not know in opset ", model.opset, ": ",
                       list, unknown.size() > kListed ? ", ..." : "",
                       quantised ? "; quantised model, export it in float32" : ""));
}

bool all_constant(const ImportState& state, const Node& node) {
  return std::all_of(node.inputs.begin(), node.inputs.end(), [&](const std::string& name) {
    const auto found = state.symbols.find(name);
    return name.empty() || (found != state.symbols.end() && !found->second.is_value());
  });
}

Status convert_node(ImportState& state, const Node& node) {
  const OperatorRow& row = *find_operator(node.op);
  NodeScope scope(state, node);
  const bool folds = row.fold != nullptr && all_constant(state, node);
  if (folds) {
    row.fold(scope);
  } else if (row.convert != nullptr) {
    row.convert(scope);
  } else {
    scope.unsupported("penult knows this operator of constants only, not of values");
  }
  // Shapes only say how a Reshape flattens, which is so at any size.
  if (!folds && node.op != "Reshape" && scope.reads_size()) scope.made_for_size();
  if (scope.ok()) {  // a name that is read must mean something now
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const std::string& name = node.outputs[i];
      if (!name.empty() && state.uses.contains(name) && !state.symbols.contains(name)) {
        scope.unsupported(concat("output ", i, " (", quote(name), ") is used"));
      }
    }
  }
  return scope.finish();
}

void count_uses(const OnnxModel& model, const std::vector<bool>& needed, ImportState& state) {
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    if (!needed[i]) continue;
    for (const std::string& name : model.nodes[i].inputs) ++state.uses[name];
  }
  for (const std::string& name : model.outputs) ++state.uses[name];
}

Result<std::vector<ValueId>> find_outputs(const OnnxModel& model, const ImportState& state) {
  std::vector<ValueId> outputs;
  for (const std::string& name : model.outputs) {
    const auto found = state.symbols.find(name);
    if (found == state.symbols.end()) {
      return Status(StatusCode::kModelInvalid,
                    concat("graph output ", quote(name), ": no node yields it"));
    }
    if (found->second.is_value()) outputs.push_back(found->second.value);
  }
  if (!outputs.empty()) return outputs;
  return Status(StatusCode::kFormatUnsupported, "no output of the graph depends on its input");
}

Result<SourceGraph> run(OnnxModel&& model, const GraphInput& input) {
  const std::vector<bool> needed = find_needed_nodes(model);
  PENULT_RETURN_IF_ERROR(check_operators(model, needed));
  ImportState state = {.opset = model.opset,
                       .batch = input.batch,
                       .open_size = input.open_size,
                       .graph = GraphBuilder(input.shape),
                       .symbols = {},
                       .uses = {},
                       .budget = kFreeNumbers,
                       .made_for_size = {}};
  count_uses(model, needed, state);
  state.symbols[input.name] = {.value = 0, .axes = input.axes};
  for (auto& [name, tensor] : model.initializers) {
    state.budget += 2 * static_cast<uint64_t>(tensor.elems());
    state.symbols[name] = {.constant = std::make_shared<Tensor>(std::move(tensor))};
  }
  model.initializers.clear();
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    if (needed[i]) PENULT_RETURN_IF_ERROR(convert_node(state, model.nodes[i]));
  }
  PENULT_ASSIGN_OR_RETURN(const std::vector<ValueId> outputs, find_outputs(model, state));
  state.symbols.clear();  // so that weights can be moved
  PENULT_ASSIGN_OR_RETURN(SourceGraph source, state.graph.finish(outputs));
  source.model.info.architecture = "custom";
  source.model.info.input_c = input.shape.c;
  source.model.info.input_h = input.shape.h;
  source.model.info.input_w = input.shape.w;
  if (!state.made_for_size.empty()) {
    source.model.info.fixed_size = true;
    source.model.info.note =
        concat("the model is for ", input.shape.h, "x", input.shape.w,
               " pixels only: ", state.made_for_size, " is another layer at other sizes; ",
               input.open_size ? "convert" : "export", " it again for each of them");
  }
  return source;
}

// A file that normalises its input itself would have it done twice by the usual preprocessing.
void note_scaled_input(SourceGraph& source) {
  const Graph& graph = source.model.graph;
  for (const penult::Node& node : graph.nodes) {
    if (node.op != &kBatchnorm || node.inputs[0] != graph.input) continue;
    source.notes.push_back(concat(
        "the network begins with ", quote(node.name),
        ", which scales and shifts its input: if that is the normalisation of pictures, give "
        "--preprocess a file with mean 0 and std 1, or it is done twice"));
    return;
  }
}

}  // namespace

Result<SourceGraph> import_model(OnnxModel&& model, const InputSize& size) {
  PENULT_ASSIGN_OR_RETURN(const GraphInput input, find_image_input(model, size));
  PENULT_ASSIGN_OR_RETURN(SourceGraph source, run(std::move(model), input));
  crop_to(input.shape.h, input.shape.w, source.model.info.preprocess);
  add_generic_names(source.model);
  note_scaled_input(source);
  return source;
}

Result<SourceGraph> read_onnx(const std::string& path, const ReadOptions& options) {
  PENULT_ASSIGN_OR_RETURN(OnnxModel model,
                          read_onnx_model(path, {.external_data = options.external_data}));
  const std::string format =
      concat("ONNX, opset ", model.opset, model.producer.empty() ? "" : " by ",
             escape_name(model.producer));
  std::set<std::string> data_files = std::move(model.data_files);
  PENULT_ASSIGN_OR_RETURN(
      SourceGraph graph,
      import_model(std::move(model), {.h = options.input_h, .w = options.input_w}));
  graph.format = format;
  graph.data_files = std::move(data_files);
  return graph;
}

Result<SourceGraph> import_any(OnnxModel&& model) {
  PENULT_ASSIGN_OR_RETURN(const GraphInput input, find_any_input(model));
  return run(std::move(model), input);
}

}  // namespace penult::converters::onnx
