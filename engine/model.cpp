#include "penult/model.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/graph/receptive_field.h"
#include "engine/input_size.h"
#include "engine/model/loader.h"
#include "engine/model/model_data.h"
#include "engine/ops/node_args.h"

namespace penult {
namespace {

struct Cost {
  uint64_t macs = 0, weights = 0;
};

Cost cost_of(const Graph& graph, const Node& node) {
  Cost cost;
  for (const WeightId id : node.weights) {
    if (id != kNoWeight) cost.weights += graph.weights[id].elems();
  }
  const NodeArgs args(graph, node);
  cost.macs = node.op->macs(args.with(node.resolved), graph.values[node.output].shape);
  return cost;
}

// For each tap the sum over the nodes that it needs. One pass over the graph serves 64 taps, so
// that a file with as many taps as it may have does not take minutes.
std::vector<Cost> costs_up_to(const Graph& graph, const std::vector<Cost>& costs,
                              const std::vector<Tap>& taps) {
  constexpr size_t kTapsAPass = 64;
  std::vector<Cost> sums(taps.size());
  for (size_t first = 0; first < taps.size(); first += kTapsAPass) {
    const size_t count = std::min(kTapsAPass, taps.size() - first);
    std::vector<uint64_t> needed(graph.values.size(), 0);  // a bit for each tap of this pass
    for (size_t t = 0; t < count; ++t) needed[taps[first + t].value] |= uint64_t{1} << t;
    for (size_t i = graph.nodes.size(); i-- > 0;) {
      const Node& node = graph.nodes[i];
      const uint64_t by = needed[node.output];
      for (const ValueId input : node.inputs) needed[input] |= by;
      if (costs[i].macs == 0 && costs[i].weights == 0) continue;
      for (uint64_t rest = by; rest != 0; rest &= rest - 1) {
        Cost& sum = sums[first + static_cast<size_t>(std::countr_zero(rest))];
        sum.macs += costs[i].macs;
        sum.weights += costs[i].weights;
      }
    }
  }
  return sums;
}

double share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

void describe_field(const ReceptiveField& field, const Shape& shape, const Shape& input,
                    TapInfo& info) {
  info.sees_whole_input = field.whole;
  info.receptive_field =
      field.whole ? std::max(input.h, input.w) : std::max(field.rows.size(), field.columns.size());
  info.stride = shape.is_map() ? std::max(field.rows.stride, field.columns.stride) : 0;
}

}  // namespace

Status set_input_size(const ModelData& model, int64_t h, int64_t w, Graph& graph) {
  const bool default_size = h == model.info.input_h && w == model.info.input_w;
  if (model.info.fixed_size && !default_size) {
    return Status(StatusCode::kInvalidArgument,
                  concat("the network cannot run at input size ", h, "x", w, ": it was made for ",
                         model.info.input_h, "x", model.info.input_w,
                         " only, and its source is another network at other sizes; convert that "
                         "again for this size"));
  }
  Status status = infer_shapes(graph, model.info.input_c, h, w);
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
  std::vector<const Node*> producers(graph.values.size(), nullptr);
  for (const Node& node : graph.nodes) producers[node.output] = &node;
  const std::vector<Cost> sums = costs_up_to(graph, costs, data_->taps);
  const std::vector<ReceptiveField> fields = receptive_fields(graph);
  std::vector<TapInfo> infos;
  for (size_t t = 0; t < data_->taps.size(); ++t) {
    const Tap& tap = data_->taps[t];
    const Shape& shape = graph.values[tap.value].shape;
    const Node* producer = producers[tap.value];
    const Cost& cost = sums[t];
    TapInfo info{.name = tap.name,
                 .aliases = {},
                 .op = producer == nullptr ? "input" : producer->op->name,
                 .c = shape.c,
                 .h = shape.h,
                 .w = shape.w,
                 .rank = shape.rank,
                 .macs = cost.macs,
                 .macs_share = share(cost.macs, whole.macs),
                 .weights = cost.weights,
                 .weights_share = share(cost.weights, whole.weights)};
    describe_field(fields[tap.value], shape, graph.values[graph.input].shape, info);
    infos.push_back(std::move(info));
  }
  for (const Alias& alias : aliases) infos[alias.tap].aliases.push_back(alias.name);
  return infos;
}

Result<std::vector<std::string>> Model::resolve(const std::string& name) const {
  PENULT_ASSIGN_OR_RETURN(const std::vector<int> taps, resolve_tap(*data_, name));
  std::vector<std::string> names;
  for (const int tap : taps) names.push_back(data_->taps[tap].name);
  return names;
}

}  // namespace penult
