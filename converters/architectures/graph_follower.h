#pragma once

// Finds the layers of a known network in a graph that a file holds: each is looked for among the
// readers of the value that it reads, in the file's order, and belongs to one layer only.

#include <string>
#include <vector>

#include "engine/graph/graph.h"

namespace penult::converters {

struct ConvSpec;
struct PoolSpec;

class GraphFollower {
 public:
  // Shapes of the graph must be inferred. It must not change, and outlive the follower.
  explicit GraphFollower(const Graph& graph);

  ValueId input() const { return graph_.input; }
  int64_t channels(ValueId value) const;
  int64_t elems(ValueId value) const;

  // What the layer yields; kNoValue if there is none such.
  ValueId conv(ValueId x, const ConvSpec& spec);
  ValueId pool(const OpDef& op, ValueId x, const PoolSpec& spec);
  // An operator by its inputs, in any order if it adds or multiplies.
  ValueId layer(const OpDef& op, const std::vector<ValueId>& inputs);
  // Exporters join maps once that a network joins step by step. If no layer joins these, the result
  // is a value of no graph, which only a further concat finds readers of.
  ValueId concat(const std::vector<ValueId>& maps);
  bool is_of_graph(ValueId value) const {
    return static_cast<size_t>(value) < graph_.values.size();
  }
  // A constant scale and shift for each channel: one layer, or taken apart by channels.
  ValueId affine(ValueId x);
  // Whether `x` is a convolution with a bias, in which a batchnorm may have vanished.
  bool may_hold_batchnorm(ValueId x) const;

  // Whether a layer of `op` reads x, or any but a softmax if `op` is null.
  bool is_read_by(ValueId x, const OpDef* op) const;
  // The first node that is no layer yet; null if all are. A softmax at the end is no layer.
  const Node* first_left() const;

 private:
  template <typename Fits>
  ValueId take(ValueId x, const Fits& fits);
  const std::vector<size_t>& readers(ValueId value) const;
  bool has_pads(const Node& node, ValueId x, const ConvSpec& spec) const;

  const Graph& graph_;
  std::vector<std::vector<size_t>> readers_;  // node numbers, by value
  std::vector<const Node*> producers_;        // by value
  std::vector<bool> taken_;                   // by node
  std::vector<std::vector<ValueId>> joined_;  // what the values of no graph consist of
};

}  // namespace penult::converters
