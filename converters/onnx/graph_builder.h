#pragma once

// The graph under construction: nodes whose shapes are known as soon as they are added, weights
// that are copied only at the end.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "converters/importer.h"
#include "converters/onnx/onnx_model.h"
#include "engine/graph/graph.h"

namespace penult::converters::onnx {

using Constant = std::shared_ptr<const Tensor>;

// y = scale * x + shift with one factor and one summand for all elements.
struct ScalarAffine {
  float scale, shift;
};

class GraphBuilder {
 public:
  explicit GraphBuilder(const Shape& input);

  // A node without a name yet, its shape inferred. Errors lack the node's name.
  Result<ValueId> add(const OpDef& op, std::vector<ValueId> inputs,
                      std::vector<WeightId> weights = {}, Attributes attrs = {});
  const Shape& shape(ValueId value) const { return graph_.values[index(value)].shape; }
  // Null for the input.
  const penult::Node* producer(ValueId value) const;

  // The numbers of `tensor` under these dims; ModelInvalid if some are not finite.
  Result<WeightId> weight(const std::string& name, const Constant& tensor,
                          std::vector<int64_t> dims);
  const Tensor& weight_of(WeightId id) const { return *weights_[static_cast<size_t>(id)].numbers; }

  void note_affine(ValueId value, ScalarAffine affine) { affines_[value] = affine; }
  const ScalarAffine* affine_of(ValueId value) const;

  // What the file calls `value`, by a node of operator `op`. A value may have several names.
  void add_names(ValueId value, ValueNames names, const std::string& op);

  // Drops what no output needs and names the rest. No node must be added afterwards.
  Result<SourceGraph> finish(const std::vector<ValueId>& outputs);

 private:
  struct Weight {
    std::string name;
    Constant numbers;
    std::vector<int64_t> dims;
  };
  struct Names {
    std::vector<ValueNames> names;
    std::string op;  // of the first
  };
  static size_t index(ValueId value) { return static_cast<size_t>(value); }
  std::vector<bool> find_needed(const std::vector<ValueId>& outputs) const;
  void keep(const std::vector<bool>& needed);
  void take_weights(Graph& graph);

  Graph graph_;  // node i yields value i + 1; weights have dims only
  std::vector<Weight> weights_;
  std::map<std::pair<const Tensor*, std::vector<int64_t>>, WeightId> ids_;
  std::map<ValueId, ScalarAffine> affines_;
  std::vector<Names> names_;  // by value
};

}  // namespace penult::converters::onnx
