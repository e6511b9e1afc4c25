#include "converters/generic_names.h"

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include "engine/ops/op.h"

namespace penult::converters {
namespace {

size_t index(ValueId value) { return static_cast<size_t>(value); }

// After every node: what reads an end.
constexpr size_t kNever = std::numeric_limits<size_t>::max();

class Namer {
 public:
  explicit Namer(ModelData& model)
      : model_(model),
        tap_of_(model.graph.values.size(), -1),
        producers_(model.graph.values.size(), nullptr) {
    for (size_t i = 0; i < model.taps.size(); ++i) {
      tap_of_[index(model.taps[i].value)] = static_cast<int>(i);
      names_.insert(model.taps[i].name);
    }
    for (const Alias& alias : model.aliases) names_.insert(alias.name);
    for (const TapGroup& group : model.groups) names_.insert(group.name);
    for (const Node& node : model.graph.nodes) producers_[index(node.output)] = &node;
    find_classifiers();
    if (classifiers_.size() > 1 && !share_features()) classifiers_.resize(1);
    find_steps();
  }

  void name_penultimate();
  void name_blocks();
  void name_stages();

 private:
  void find_classifiers();
  bool share_features();
  int find_penultimate();
  void find_steps();
  std::vector<ValueId> find_cuts(const std::vector<ValueId>& ends);
  bool ends_step(ValueId value) const;
  void alias(const std::string& name, int tap) {
    if (names_.insert(name).second) model_.aliases.push_back({name, tap});
  }

  ModelData& model_;
  std::vector<int> tap_of_;                        // by value, -1: none
  std::vector<const Node*> producers_;             // by value
  std::vector<std::vector<const Node*>> readers_;  // by value; of nodes that the ends need
  const Node* last_conv_ = nullptr;                // that the ends need
  std::vector<const Node*> classifiers_;           // the last first
  std::vector<ValueId> steps_;
  std::set<std::string> names_;
};

// Linear layers behind which no other one comes, and no map: those that weigh the channels of a map
// are parts of a block.
void Namer::find_classifiers() {
  const Graph& graph = model_.graph;
  std::vector<bool> goes_on(graph.values.size(), false);
  for (size_t v = 0; v < graph.values.size(); ++v) goes_on[v] = graph.values[v].shape.is_map();
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    const bool is_linear = node.op == &kLinear, is_inner = goes_on[index(node.output)];
    if (is_linear && !is_inner) classifiers_.push_back(&node);
    if (!is_linear && !is_inner) continue;
    for (const ValueId input : node.inputs) goes_on[index(input)] = true;
  }
}

// Not with an auxiliary classifier, nor those of a network that is run twice: then only the
// last classifier counts.
bool Namer::share_features() {
  const int tap = find_penultimate();
  if (tap < 0) return false;
  return last_conv_ == nullptr ||
         last_conv_ <= producers_[index(model_.taps[static_cast<size_t>(tap)].value)];
}

// The last tap that all classifiers read from, -1 if there is none.
int Namer::find_penultimate() {
  std::vector<ValueId> read;
  for (const Node* node : classifiers_) read.push_back(node->inputs[0]);
  int tap = -1;
  for (const ValueId value : find_cuts(read)) {
    if (tap_of_[index(value)] >= 0) tap = tap_of_[index(value)];
  }
  return tap;
}

// The values, in execution order, through which every path from the input to one of `ends` goes.
// In a topological order, such a value is one that no reader of an earlier value comes after.
std::vector<ValueId> Namer::find_cuts(const std::vector<ValueId>& ends) {
  const Graph& graph = model_.graph;
  readers_.assign(graph.values.size(), {});
  last_conv_ = nullptr;
  std::vector<size_t> last_reader(graph.values.size(), 0);  // node number + 1
  std::vector<bool> needed(graph.values.size(), false);
  for (const ValueId end : ends) {
    needed[index(end)] = true;
    last_reader[index(end)] = kNever;
  }
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (!needed[index(node.output)]) continue;
    if (last_conv_ == nullptr && node.op == &kConv2d) last_conv_ = &node;
    for (const ValueId input : node.inputs) {
      needed[index(input)] = true;
      readers_[index(input)].push_back(&node);
      last_reader[index(input)] = std::max(last_reader[index(input)], i + 1);
    }
  }
  std::vector<ValueId> cuts;
  size_t furthest = last_reader[index(graph.input)];
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const ValueId value = graph.nodes[i].output;
    if (furthest <= i + 1 && needed[index(value)]) cuts.push_back(value);
    furthest = std::max(furthest, last_reader[index(value)]);
  }
  return cuts;
}

void Namer::find_steps() {
  std::vector<ValueId> ends;
  for (const Node* node : classifiers_) ends.push_back(node->output);
  if (ends.empty()) ends.push_back(model_.taps.back().value);
  for (const ValueId value : find_cuts(ends)) {
    if (!readers_[index(value)].empty() && ends_step(value)) steps_.push_back(value);
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
  const int tap = find_penultimate();
  alias("penultimate", tap >= 0 ? tap : static_cast<int>(model_.taps.size()) - 1);
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
