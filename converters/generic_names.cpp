#include "converters/generic_names.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "engine/ops/op.h"

namespace penult::converters {
namespace {

size_t index(ValueId value) { return static_cast<size_t>(value); }

class Namer {
 public:
  explicit Namer(ModelData& model) : model_(model), tap_of_(model.graph.values.size(), -1) {
    for (size_t i = 0; i < model.taps.size(); ++i) {
      tap_of_[index(model.taps[i].value)] = static_cast<int>(i);
      names_.insert(model.taps[i].name);
    }
    for (const Alias& alias : model.aliases) names_.insert(alias.name);
    for (const TapGroup& group : model.groups) names_.insert(group.name);
    find_needed();
  }

  void name_penultimate();
  void name_blocks();
  void name_stages();

 private:
  void find_needed();
  void find_steps();
  bool ends_step(ValueId value) const;
  void alias(const std::string& name, int tap) {
    if (names_.insert(name).second) model_.aliases.push_back({name, tap});
  }

  ModelData& model_;
  std::vector<int> tap_of_;                        // by value, -1: none
  std::vector<const Node*> producers_;             // by value
  std::vector<std::vector<const Node*>> readers_;  // by value; of nodes the end needs
  std::vector<ValueId> steps_;
  std::set<std::string> names_;
};

// The nodes that the last tap needs: others hang on to further outputs.
void Namer::find_needed() {
  const Graph& graph = model_.graph;
  producers_.assign(graph.values.size(), nullptr);
  readers_.resize(graph.values.size());
  std::vector<bool> needed(graph.values.size(), false);
  needed[index(model_.taps.back().value)] = true;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    producers_[index(node.output)] = &node;
    if (!needed[index(node.output)]) continue;
    for (const ValueId input : node.inputs) {
      needed[index(input)] = true;
      readers_[index(input)].push_back(&node);
    }
  }
  find_steps();
}

// In a topological order, a value is a cut if no reader of an earlier value comes after it.
void Namer::find_steps() {
  const Graph& graph = model_.graph;
  std::vector<size_t> last_reader(graph.values.size(), 0);  // node number + 1
  for (size_t v = 0; v < graph.values.size(); ++v) {
    for (const Node* node : readers_[v]) {
      last_reader[v] = std::max(last_reader[v], static_cast<size_t>(node - graph.nodes.data()) + 1);
    }
  }
  size_t furthest = last_reader[index(graph.input)];
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ValueId value = graph.nodes[i].output;
    if (furthest <= i + 1 && !readers_[index(value)].empty() && ends_step(value)) {
      steps_.push_back(value);
    }
    furthest = std::max(furthest, last_reader[index(value)]);
  }
}

bool Namer::ends_step(ValueId value) const {
  const OpDef* op = producers_[index(value)]->op;
  const bool joins = op == &kAdd || op == &kConcat;
  if (tap_of_[index(value)] < 0 || (!joins && op->activation == nullptr)) return false;
  const std::vector<const Node*>& readers = readers_[index(value)];
  if (readers.size() > 1) return true;
  const OpDef* next = readers[0]->op;
  return next == &kConv2d || next == &kLinear || next == &kMaxPool2d || next == &kAvgPool2d ||
         next == &kGlobalAvgPool;
}

void Namer::name_penultimate() {
  const ValueId end = model_.taps.back().value;
  for (ValueId value = end; value != model_.graph.input;) {
    const Node& node = *producers_[index(value)];
    const bool is_after = node.op->activation != nullptr || node.op == &kSoftmax;
    if (!is_after && node.op != &kLinear) break;
    value = node.inputs[0];
    if (node.op != &kLinear) continue;
    if (tap_of_[index(value)] >= 0) return alias("penultimate", tap_of_[index(value)]);
    break;
  }
  alias("penultimate", tap_of_[index(end)]);
}

void Namer::name_blocks() {
  if (!names_.insert("blocks").second) return;
  TapGroup blocks = {"blocks", {}};
  if (steps_.empty()) blocks.taps = {static_cast<int>(model_.taps.size()) - 1};
  for (const ValueId value : steps_) blocks.taps.push_back(tap_of_[index(value)]);
  model_.groups.push_back(std::move(blocks));
}

void Namer::name_stages() {
  constexpr size_t kMost = 5;
  std::vector<int> stages;  // taps
  int64_t h = 0, w = 0;
  for (const ValueId value : steps_) {
    const Shape& shape = model_.graph.values[index(value)].shape;
    if (!shape.is_map()) continue;
    if (shape.h == h && shape.w == w) stages.pop_back();
    stages.push_back(tap_of_[index(value)]);
    h = shape.h;
    w = shape.w;
  }
  if (stages.size() > kMost) stages.erase(stages.begin(), stages.end() - kMost);
  const int count = static_cast<int>(stages.size());
  for (int i = 0; i < count; ++i) {
    alias(std::to_string(i), stages[static_cast<size_t>(i)]);
    alias(std::to_string(i - count), stages[static_cast<size_t>(i)]);
  }
}

}  // namespace

void add_generic_names(ModelData& model) {
  if (model.taps.empty()) return;
  Namer namer(model);
  namer.name_penultimate();
  namer.name_blocks();
  namer.name_stages();
}

}  // namespace penult::converters
