#pragma once

// An ONNX file in plain structures, checked for what does not depend on operators. What reads it
// (read_onnx_model) knows protobuf and no operators, what makes a graph of it operators and no
// protobuf. Meaning of all fields: the ONNX specification, docs/IR.md.

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "penult/status.h"

namespace penult::converters::onnx {

// Numbers: f16, bf16 and f64 became f32 (f64 that do not fit are an error; infinities and NaNs are
// kept), integers of every width and bool i64 (u64 above its range are an error). As many numbers
// as dims say, of which some may be 0; at most 8 dims, each below 2^31.
struct Tensor {
  std::vector<int64_t> dims;  // empty: a scalar
  bool is_integer = false;
  std::vector<float> floats;  // unless is_integer
  std::vector<int64_t> ints;  // if it is
  int64_t elems() const;      // product of dims
};

struct Attribute {
  enum class Kind { kFloat, kInt, kString, kTensor, kFloats, kInts, kStrings, kOther };
  Kind kind = Kind::kOther;  // kOther: graphs, sparse tensors, types, lists of tensors
  float f = 0;
  int64_t i = 0;
  std::string s;
  Tensor tensor;
  std::vector<float> floats;
  std::vector<int64_t> ints;
  std::vector<std::string> strings;
};

struct Node {
  std::string name, op, domain;              // "" and "ai.onnx" are one domain: ""
  std::vector<std::string> inputs, outputs;  // "": not given
  std::map<std::string, Attribute> attributes;
  // Path of the module, in the framework that wrote the file, whose code made this node, where the
  // file says so: "layer1.0.conv1"; of what a block does itself, the block's: "layer1.0".
  std::string module;
};

// Of the graph: what is not an initializer.
struct Input {
  std::string name;
  std::string type;           // if its numbers are no floats: "uint8", "number 99"
  std::vector<int64_t> dims;  // -1: open, or known by a name only
};

struct OnnxModel {
  int64_t ir_version = 0;
  std::string producer;  // "pytorch 2.1.0"
  int64_t opset = 0;     // of the domain ""
  std::vector<std::pair<std::string, int64_t>> other_opsets;
  // In the file's order, or one near it: each value has one source, which comes before its readers,
  // an input, an initializer or a node. Values that subgraphs (kOther) read are not looked at.
  std::vector<Node> nodes;
  std::map<std::string, Tensor> initializers;
  std::vector<Input> inputs;  // without those that have an initializer
  std::vector<std::string> outputs;
  std::set<std::string> data_files;  // beside the model, that some of its tensors came from
};

struct OnnxReadOptions {
  bool external_data = false;
};

// True if the first bytes (up to 64) look like a model, or the path ends in .onnx: the format has
// no magic number.
bool is_onnx(std::span<const uint8_t> head, std::string_view path);

// Knows IR versions 3 to 14 and opsets 6 to 28. Errors, without the path: FormatCorrupt,
// FormatUnsupported (opset, IR, functions, external data without the option), LimitExceeded; with
// it Io and NotFound, of the file or of one that it names.
Result<OnnxModel> read_onnx_model(const std::string& path, const OnnxReadOptions& options);

}  // namespace penult::converters::onnx
