#pragma once

// The owned graph: what passes rewrite and the planner reads. It never refers to a file's bytes.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/base/activation.h"
#include "engine/base/attributes.h"
#include "engine/base/shape.h"
#include "penult/status.h"

namespace penult {

struct OpDef;  // engine/ops/op.h

using ValueId = int32_t;
using WeightId = int32_t;
inline constexpr ValueId kNoValue = -1;
inline constexpr WeightId kNoWeight = -1;

// A weight tensor's identity; the numbers come from the graph's WeightSource when they are needed.
struct WeightInfo {
  std::string name;  // in the source file, for messages
  std::vector<int64_t> dims;
  uint64_t elems() const;  // product of dims (validated not to overflow)
};

// The numbers of one weight, from the first to the last.
class WeightStream {
 public:
  virtual ~WeightStream() = default;
  // Fills dst with the next ones; there have to be so many. Verifies each checksum, where there are
  // any, as soon as all that it covers was read.
  virtual Status read(std::span<float> dst) = 0;
};

// Where the numbers are: memory (importers) or a .penult file. Thread-safe.
class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // May not outlive the source.
  virtual std::unique_ptr<WeightStream> open(WeightId id) const = 0;
  // Fills dst, exactly elems() floats, with weight `id`.
  Status read(WeightId id, std::span<float> dst) const { return open(id)->read(dst); }
};

// Batchnorm folded into a producer: y = gamma * (x - mean) / sqrt(var + eps) + beta, per channel.
struct FoldedBatchnorm {
  WeightId gamma = kNoWeight, beta = kNoWeight, mean = kNoWeight, var = kNoWeight;
  float eps = 0;
};

// What passes moved into a node. Never stored in a file.
struct Fused {
  std::optional<FoldedBatchnorm> batchnorm;  // applied to weights and bias when they are packed
  ValueId residual = kNoValue;               // added after bias, before the activation
  Activation activation;
  Activation squeeze = {};  // of squeeze_excitation: between its two layers
};

struct Node {
  std::string name;  // of the value it produces; a tap's main name where it is a tap
  const OpDef* op = nullptr;
  Attributes attrs;  // as the model has them, defaults filled in by validate()
  // attrs with everything that depends on the input size replaced by numbers: what passes and the
  // planner read. Set by infer_shapes(); attrs stay, since a graph may be inferred at another size.
  Attributes resolved;
  std::vector<ValueId> inputs;
  // By slot of op->weights; kNoWeight where an optional one is absent.
  std::vector<WeightId> weights;
  ValueId output = kNoValue;
  Fused fused;
};

struct Value {
  std::string name;
  Shape shape;  // of one image; set by infer_shapes
};

// SSA: each value has one producer; nodes stand in topological order.
struct Graph {
  // Limits that validate() and infer_shapes() enforce.
  static constexpr size_t kMaxNodes = 65536, kMaxWeights = 65536, kMaxInputs = 256, kMaxRank = 8;
  static constexpr int64_t kMaxDim = (int64_t{1} << 31) - 1;
  static constexpr uint64_t kMaxElems = uint64_t{1} << 40;  // of one weight or one image's value
  static constexpr uint64_t kMaxMacs = uint64_t{1} << 50;   // of one image through the whole graph

  std::vector<Value> values;
  std::vector<Node> nodes;
  ValueId input = kNoValue;
  std::vector<ValueId> outputs;  // taps asked for (empty in a model file's graph: all taps count)
  std::vector<WeightInfo> weights;
  std::shared_ptr<const WeightSource> source;

  ValueId add_value(std::string name, Shape shape = {});
  // Appends a node and its output value, both called `name`.
  ValueId add_node(const OpDef& op, std::string name, std::vector<ValueId> inputs,
                   std::vector<WeightId> weights = {}, Attributes attrs = {});
  bool is_output(ValueId value) const;
  // By slot of the node's operator; empty: not given.
  std::vector<std::vector<int64_t>> weight_dims(const Node& node) const;
};

// Structural invariants: ids in range, SSA, topological order, arity, weight slots and their ranks,
// attribute ranges (fills in attribute defaults and absent optional weights first), names, limits,
// outputs exist. Values that nobody produces are legal as long as nobody reads them: passes leave
// such behind. ModelInvalid names the node.
Status validate(Graph& graph);

// Sets the input of a validated graph to (c, h, w), every value's shape from it, and each node's
// resolved attributes ("same" padding becomes numbers). Checks weight dims. ModelInvalid names the
// node whose inputs do not fit; LimitExceeded beyond kMaxElems or kMaxMacs. After an error the
// shapes are unspecified.
Status infer_shapes(Graph& graph, int64_t c, int64_t h, int64_t w);

// One line a node, for messages and debugging.
std::string dump(const Graph& graph);

}  // namespace penult
