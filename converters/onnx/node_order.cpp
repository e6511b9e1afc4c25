#include "converters/onnx/node_order.h"

#include <algorithm>
#include <functional>
#include <queue>
#include <string_view>

#include "converters/onnx/read_model_node.h"
#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

// Node numbers by the nodes that each reads, one for each time.
struct Edges {
  std::vector<std::vector<size_t>> sources, readers;
  bool in_order = true;
};

Result<Edges> find_edges(const OnnxModel& model) {
  std::map<std::string_view, size_t> source_of;
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    for (const std::string& name : model.nodes[i].outputs) source_of.emplace(name, i);
  }
  std::set<std::string_view> inputs;
  for (const Input& input : model.inputs) inputs.insert(input.name);
  Edges edges = {.sources = std::vector<std::vector<size_t>>(model.nodes.size()),
                 .readers = std::vector<std::vector<size_t>>(model.nodes.size())};
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    for (const std::string& name : model.nodes[i].inputs) {
      if (name.empty() || inputs.contains(name) || model.initializers.contains(name)) continue;
      const auto source = source_of.find(name);
      if (source == source_of.end()) {
        return corrupt(concat(describe_node(model.nodes[i], i), " reads ", quote(name),
                              ", which is no input, no initializer, and yielded by no node"));
      }
      edges.sources[i].push_back(source->second);
      edges.readers[source->second].push_back(i);
      edges.in_order = edges.in_order && source->second < i;
    }
  }
  return edges;
}

// Of the nodes that are not done, each reads another of them: following that leads into a cycle.
Status cycle(const OnnxModel& model, const Edges& edges, const std::vector<bool>& done) {
  size_t at = 0;
  while (done[at]) ++at;
  const auto is_left = [&](size_t i) { return !done[i]; };
  std::vector<bool> seen(done.size(), false);
  while (!seen[at]) {
    seen[at] = true;
    at = *std::find_if(edges.sources[at].begin(), edges.sources[at].end(), is_left);
  }
  return corrupt(concat(describe_node(model.nodes[at], at),
                        " is part of a cycle: what it reads depends on what it yields"));
}

}  // namespace

Status sort_nodes(OnnxModel& model) {
  PENULT_ASSIGN_OR_RETURN(const Edges edges, find_edges(model));
  if (edges.in_order) return {};
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  std::vector<size_t> missing(model.nodes.size());
  for (size_t i = 0; i < model.nodes.size(); ++i) {
    missing[i] = edges.sources[i].size();
    if (missing[i] == 0) ready.push(i);
  }
  std::vector<bool> done(model.nodes.size(), false);
  std::vector<size_t> order;
  while (!ready.empty()) {
    const size_t at = ready.top();
    ready.pop();
    done[at] = true;
    order.push_back(at);
    for (const size_t reader : edges.readers[at]) {
      if (--missing[reader] == 0) ready.push(reader);
    }
  }
  if (order.size() < model.nodes.size()) return cycle(model, edges, done);
  std::vector<Node> sorted;
  sorted.reserve(order.size());
  for (const size_t i : order) sorted.push_back(std::move(model.nodes[i]));
  model.nodes = std::move(sorted);
  return {};
}

}  // namespace penult::converters::onnx
