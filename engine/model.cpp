#include "penult/model.h"

#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/input_size.h"
#include "engine/model/loader.h"
#include "engine/model/model_data.h"
#include "engine/ops/op.h"

namespace penult {
namespace {

struct Cost {
  uint64_t macs = 0, weights = 0;
};

Cost cost_of(const Graph& graph, const Node& node) {
  std::vector<Shape> inputs;
  for (const ValueId input : node.inputs) inputs.push_back(graph.values[input].shape);
  std::vector<std::vector<int64_t>> dims;
  Cost cost;
  for (const WeightId id : node.weights) {
    dims.push_back(id == kNoWeight ? std::vector<int64_t>{} : graph.weights[id].dims);
    if (id != kNoWeight) cost.weights += graph.weights[id].elems();
  }
  const OpArgs args{.attrs = node.resolved, .inputs = inputs, .weight_dims = dims};
  cost.macs = node.op->macs(args, graph.values[node.output].shape);
  return cost;
}

// Sum over the nodes that `value` needs.
Cost cost_up_to(const Graph& graph, const std::vector<Cost>& costs, ValueId value) {
  std::vector<bool> needed(graph.values.size(), false);
  needed[value] = true;
  Cost sum;
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    const Node& node = graph.nodes[i];
    if (!needed[node.output]) continue;
    sum.macs += costs[i].macs;
    sum.weights += costs[i].weights;
    for (const ValueId input : node.inputs) needed[input] = true;
  }
  return sum;
}

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

Status set_input_size(const ModelData& model, int64_t h, int64_t w, Graph& graph) {
  Status status = infer_shapes(graph, model.info.input_c, h, w);
  const bool default_size = h == model.info.input_h && w == model.info.input_w;
  if (status.code() != StatusCode::kModelInvalid || default_size) return status;
  return Status(StatusCode::kInvalidArgument,
                concat("the network cannot run at input size ", h, "x", w, ": ", status.message()));
}

Model::Model(std::unique_ptr<ModelData> data) : data_(std::move(data)) {}
Model::~Model() = default;

Result<std::shared_ptr<const Model>> Model::load(const std::string& path) {
  return load(path, LoadOptions{});
}

Result<std::shared_ptr<const Model>> Model::load(const std::string& path, LoadOptions options) {
  PENULT_ASSIGN_OR_RETURN(ModelData data, load_model(path));
  if (options.verify_all_weights) PENULT_RETURN_IF_ERROR(verify_all_weights(data));
  return from_data(std::move(data));
}

Result<std::shared_ptr<const Model>> Model::from_data(ModelData data) {
  PENULT_RETURN_IF_ERROR(validate(data));
  return std::shared_ptr<const Model>(new Model(std::make_unique<ModelData>(std::move(data))));
}

const std::string& Model::architecture() const { return data_->info.architecture; }
const std::string& Model::weights_name() const { return data_->info.weights_name; }
const std::string& Model::model_id() const { return data_->info.model_id; }
const Preprocess& Model::preprocess() const { return data_->info.preprocess; }
int64_t Model::input_h() const { return data_->info.input_h; }
int64_t Model::input_w() const { return data_->info.input_w; }

Result<std::vector<TapInfo>> Model::taps(int64_t input_h, int64_t input_w) const {
  Graph graph = data_->graph;
  PENULT_RETURN_IF_ERROR(set_input_size(*data_, input_h, input_w, graph));
  std::vector<Cost> costs;
  Cost whole;
  for (const Node& node : graph.nodes) {
    costs.push_back(cost_of(graph, node));
    whole.macs += costs.back().macs;
    whole.weights += costs.back().weights;
  }
  std::vector<Alias> aliases = data_->aliases;
  const std::vector<Alias> modules = module_names(*data_);
  aliases.insert(aliases.end(), modules.begin(), modules.end());
  std::vector<TapInfo> infos;
  for (size_t t = 0; t < data_->taps.size(); ++t) {
    const Tap& tap = data_->taps[t];
    const Shape& shape = graph.values[tap.value].shape;
    const int producer = graph.producer(tap.value);
    const Cost cost = cost_up_to(graph, costs, tap.value);
    TapInfo info{.name = tap.name,
                 .aliases = {},
                 .op = producer < 0 ? "input" : graph.nodes[producer].op->name,
                 .c = shape.c,
                 .h = shape.h,
                 .w = shape.w,
                 .rank = shape.rank,
                 .macs = cost.macs,
                 .macs_share = share(cost.macs, whole.macs),
                 .weights = cost.weights,
                 .weights_share = share(cost.weights, whole.weights)};
    for (const Alias& alias : aliases) {
      if (alias.tap == static_cast<int>(t)) info.aliases.push_back(alias.name);
    }
    infos.push_back(std::move(info));
  }
  return infos;
}

Result<std::vector<std::string>> Model::resolve(const std::string& name) const {
  PENULT_ASSIGN_OR_RETURN(const std::vector<int> taps, resolve_tap(*data_, name));
  std::vector<std::string> names;
  for (const int tap : taps) names.push_back(data_->taps[tap].name);
  return names;
}

}  // namespace penult
