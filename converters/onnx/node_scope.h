#pragma once

// What a handler sees of one node of the file: attributes, inputs and outputs with their meaning.
// The first error sticks and makes every later call a no-op, so that a handler reads as the
// operator's definition does.

#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "converters/onnx/graph_builder.h"
#include "converters/onnx/onnx_model.h"

namespace penult::converters::onnx {

// What an axis of a tensor is in the engine, which has (c,h,w) and no batch. Any order is possible:
// a Transpose moves roles and no numbers. kOne: of size 1, and of no meaning.
enum class Role : uint8_t { kBatch, kChannel, kRow, kColumn, kOne };
inline bool is_spatial(Role role) { return role == Role::kRow || role == Role::kColumn; }

// What a name of the file stands for: a constant, or a value of the graph.
struct Symbol {
  Constant constant = nullptr;
  ValueId value = kNoValue;
  std::vector<Role> axes = {};  // of a value, in the file's order
  // Of a vector: it was flattened as (h,w,c) in the file, as (c,h,w) in our graph. Without channels
  // (c = 0): both orders are the same.
  Shape flattened = {};
  bool of_size = false;  // of a constant: computed from heights and widths

  bool is_value() const { return value != kNoValue; }
};

// Numbers that a graph may compute, apart from twice those of its file: 64 MiB of floats.
inline constexpr uint64_t kFreeNumbers = uint64_t{1} << 24;

// What all nodes share.
struct ImportState {
  int64_t opset = 0;
  int64_t batch = 1;       // images of the file's own input; 1 where that is open
  bool open_size = false;  // the file leaves height or width open
  GraphBuilder graph;
  std::map<std::string, Symbol> symbols;
  std::map<std::string, int> uses;  // reads of a name, graph outputs included
  uint64_t budget = 0;              // numbers that constants may still take
  std::string made_for_size;        // NodeScope::made_for_size(): the first node that said so
};

class NodeScope {
 public:
  NodeScope(ImportState& state, const Node& node) : state_(state), node_(node) {}

  const Node& node() const { return node_; }
  int64_t opset() const { return state_.opset; }
  int64_t batch() const { return state_.batch; }
  const GraphBuilder& graph() const { return state_.graph; }
  GraphBuilder& graph() { return state_.graph; }

  bool ok() const { return status_.ok(); }
  // With the node's name; also an attribute that nobody read is an error.
  Status finish();
  void unsupported(const std::string& why) { fail(StatusCode::kFormatUnsupported, why); }
  void invalid(const std::string& why) { fail(StatusCode::kModelInvalid, why); }
  void fail(StatusCode code, const std::string& why);

  // What becomes of the node depends on the size of the image: at another size the graph would not
  // be the file's network.
  void made_for_size();
  bool open_size() const { return state_.open_size; }

  bool has(const char* attribute) const { return node_.attributes.contains(attribute); }
  int64_t int_of(const char* name, int64_t otherwise);
  float float_of(const char* name, float otherwise);
  std::string string_of(const char* name, const char* otherwise);
  std::vector<int64_t> ints_of(const char* name, std::vector<int64_t> otherwise);
  const Attribute* find(const char* name, Attribute::Kind kind);
  void ignore(std::initializer_list<const char*> names);

  bool has_input(size_t i) const { return i < node_.inputs.size() && !node_.inputs[i].empty(); }
  size_t inputs() const { return node_.inputs.size(); }
  void expect_inputs(size_t least, size_t most);
  // Fails if it is not given, or no value (constant()) or constant (value()).
  const Symbol& input(size_t i);
  const Symbol& value(size_t i);
  Constant constant(size_t i);
  std::vector<int64_t> ints_at(size_t i);  // a constant of integers, flat
  // An attribute before opset `since`, an input from there on; nothing if it is not given.
  std::optional<std::vector<int64_t>> ints_of_or_at(const char* name, int64_t since, size_t i);
  // Nothing else reads input i.
  bool is_only_reader(size_t i) const;

  std::vector<int64_t> dims(const Symbol& symbol) const;
  const Shape& shape(const Symbol& symbol) const { return state_.graph.shape(symbol.value); }
  // 0..rank-1; negative ones count from the end.
  size_t axis(int64_t axis, size_t rank);

  ValueId add(const OpDef& op, std::vector<ValueId> inputs, std::vector<WeightId> weights = {},
              Attributes attrs = {});
  WeightId weight(const std::string& name, const Constant& tensor, std::vector<int64_t> dims);
  // The same for numbers that the handler made.
  WeightId weight(const std::string& name, std::vector<float> numbers, std::vector<int64_t> dims);

  // Room for a constant of these dims, of which none counts as 0; false, and an error, if all such
  // together are too many.
  bool reserve(const std::vector<int64_t>& dims);
  void output(size_t i, Symbol symbol);
  void output_value(ValueId value, const Symbol& like);  // axes and order as `like`
  // Output 0. `of_size` as in Symbol, also if an input is.
  void output_constant(Tensor tensor, bool of_size = false);
  bool reads_size() const;  // an input is a constant `of_size`

 private:
  std::string label() const;
  ImportState& state_;
  const Node& node_;
  std::set<std::string, std::less<>> read_;
  Status status_;
};

}  // namespace penult::converters::onnx
