#include "engine/model/truncate.h"

#include <memory>
#include <utility>

#include "engine/base/check.h"

namespace penult {
namespace {

// Some weights of another source, under new numbers.
class SelectedWeights : public WeightSource {
 public:
  SelectedWeights(std::shared_ptr<const WeightSource> source, std::vector<WeightId> ids)
      : source_(std::move(source)), ids_(std::move(ids)) {}
  std::unique_ptr<WeightStream> open(WeightId id) const override {
    return source_->open(ids_[static_cast<size_t>(id)]);
  }

 private:
  std::shared_ptr<const WeightSource> source_;
  std::vector<WeightId> ids_;
};

// Old ids to new ones, in the order in which they are first asked for.
class Renumbering {
 public:
  explicit Renumbering(size_t count) : new_ids_(count, -1) {}
  int32_t of(int32_t old_id) {
    int32_t& id = new_ids_[static_cast<size_t>(old_id)];
    if (id < 0) {
      id = static_cast<int32_t>(kept_.size());
      kept_.push_back(old_id);
    }
    return id;
  }
  int32_t find(int32_t old_id) const { return new_ids_[static_cast<size_t>(old_id)]; }
  const std::vector<int32_t>& kept() const { return kept_; }

 private:
  std::vector<int32_t> new_ids_, kept_;
};

std::vector<bool> needed_values(const Graph& graph, std::span<const ValueId> outputs) {
  std::vector<bool> needed(graph.values.size(), false);
  for (const ValueId output : outputs) needed[static_cast<size_t>(output)] = true;
  for (size_t i = graph.nodes.size(); i-- > 0;) {  // readers stand after producers
    if (!needed[static_cast<size_t>(graph.nodes[i].output)]) continue;
    for (const ValueId input : graph.nodes[i].inputs) needed[static_cast<size_t>(input)] = true;
  }
  return needed;
}

Graph cut(const Graph& graph, std::span<const ValueId> outputs, Renumbering& values) {
  const std::vector<bool> needed = needed_values(graph, outputs);
  Renumbering weights(graph.weights.size());
  Graph part;
  part.input = values.of(graph.input);
  for (const Node& node : graph.nodes) {
    if (!needed[static_cast<size_t>(node.output)]) continue;
    Node copy = node;
    for (ValueId& input : copy.inputs) input = values.of(input);
    for (WeightId& weight : copy.weights) {
      if (weight != kNoWeight) weight = weights.of(weight);
    }
    copy.output = values.of(node.output);
    part.nodes.push_back(std::move(copy));
  }
  for (const ValueId value : values.kept()) {
    part.values.push_back(graph.values[static_cast<size_t>(value)]);
  }
  for (const WeightId weight : weights.kept()) {
    part.weights.push_back(graph.weights[static_cast<size_t>(weight)]);
  }
  part.source = std::make_shared<SelectedWeights>(graph.source, weights.kept());
  return part;
}

}  // namespace

Result<ModelData> truncate_model(const ModelData& model, std::span<const int> taps) {
  if (taps.empty()) return Status(StatusCode::kInvalidArgument, "no tap to truncate at");
  std::vector<ValueId> outputs;
  for (const int tap : taps) outputs.push_back(model.taps[static_cast<size_t>(tap)].value);
  Renumbering values(model.graph.values.size());
  ModelData part;
  part.info = model.info;
  part.info.model_id.clear();
  part.graph = cut(model.graph, outputs, values);

  Renumbering kept_taps(model.taps.size());
  for (size_t t = 0; t < model.taps.size(); ++t) {
    const ValueId value = values.find(model.taps[t].value);
    if (value < 0) continue;
    kept_taps.of(static_cast<int32_t>(t));
    part.taps.push_back({model.taps[t].name, value});
  }
  for (const Alias& alias : model.aliases) {
    const int tap = kept_taps.find(alias.tap);
    if (tap >= 0) part.aliases.push_back({alias.name, tap});
  }
  for (const TapGroup& group : model.groups) {
    TapGroup rest{.name = group.name, .taps = {}};
    for (const int tap : group.taps) {
      if (kept_taps.find(tap) >= 0) rest.taps.push_back(kept_taps.find(tap));
    }
    if (!rest.taps.empty()) part.groups.push_back(std::move(rest));
  }
  PENULT_RETURN_IF_ERROR(validate(part));
  return part;
}

}  // namespace penult
