#include "engine/base/activation_def.h"
#include "engine/base/text.h"
#include "engine/graph/graph.h"
#include "engine/ops/op.h"

namespace penult {
namespace {

template <typename Container>
std::string name_of(const Container& items, int32_t id) {
  const bool known = id >= 0 && static_cast<size_t>(id) < items.size();
  return known ? escape_name(items[static_cast<size_t>(id)].name) : concat("?", id);
}

std::string attributes(const Attributes& attrs) {
  std::string out;
  for (const Attribute& attribute : attrs.all()) {
    out += concat(" ", escape_name(attribute.name), "=");
    if (attribute.floats.empty()) out += to_text(attribute.ints);
    for (const float value : attribute.floats) out += to_text(double{value});
  }
  return out;
}

std::string fused(const Graph& graph, const Fused& fused) {
  std::string out;
  if (fused.batchnorm) out += " | batchnorm " + name_of(graph.weights, fused.batchnorm->gamma);
  if (fused.residual != kNoValue) out += " | add " + name_of(graph.values, fused.residual);
  if (fused.activation.kind == Activation::Kind::kNone) return out;
  const ActivationDef& def = def_of(fused.activation);
  out += concat(" | ", def.name);
  const float parameters[] = {fused.activation.a, fused.activation.b};
  for (int i = 0; i < def.parameters; ++i)
    out += concat(i == 0 ? " " : "..", double{parameters[i]});
  return out;
}

std::string line(const Graph& graph, const Node& node) {
  std::string out = escape_name(node.name) + " = ";
  out += node.op == nullptr ? "?" : node.op->name;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    out += (i == 0 ? "(" : ", ") + name_of(graph.values, node.inputs[i]);
  }
  out += node.inputs.empty() ? "()" : ")";
  for (const WeightId id : node.weights) {
    if (id != kNoWeight) out += " " + name_of(graph.weights, id);
  }
  // Before inference there are no resolved ones.
  out += attributes(node.resolved.all().empty() ? node.attrs : node.resolved);
  out += fused(graph, node.fused);
  if (node.output >= 0 && static_cast<size_t>(node.output) < graph.values.size()) {
    out += " -> " + graph.values[static_cast<size_t>(node.output)].shape.to_string();
  }
  return out + (graph.is_output(node.output) ? " *\n" : "\n");
}

}  // namespace

std::string dump(const Graph& graph) {
  std::string out = name_of(graph.values, graph.input) + " = input";
  if (graph.input >= 0 && static_cast<size_t>(graph.input) < graph.values.size()) {
    out += " -> " + graph.values[static_cast<size_t>(graph.input)].shape.to_string();
  }
  out += graph.is_output(graph.input) ? " *\n" : "\n";
  for (const Node& node : graph.nodes) out += line(graph, node);
  return out;
}

}  // namespace penult
