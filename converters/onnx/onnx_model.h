#pragma once

// An ONNX file in plain structures, checked for what does not depend on operators. What reads it
// (read_onnx_model) knows protobuf and no operators, what makes a graph of it operators and no
// protobuf. Meaning of all fields: the ONNX specification, docs/IR.md.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "penult/status.h"

namespace penult::converters::onnx {

// Numbers: f16, bf16 and f64 became f32 (a count of those that did not fit is an error), integers
// of every width and bool i64.
struct Tensor {
  std::vector<int64_t> dims;  // empty: a scalar
  bool is_integer = false;
  std::vector<float> floats;  // unless is_integer
  std::vector<int64_t> ints;  // if it is
  int64_t elems() const;      // product of dims
};

struct Attribute {
  enum class Kind { kFloat, kInt, kString, kTensor, kFloats, kInts, kStrings, kOther };
  Kind kind = Kind::kOther;  // kOther: graphs, sparse tensors, references of functions
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
  std::string module;  // of the framework that wrote it, where it says: "layer1.0.conv1"
};

// Of the graph: what is not an initializer.
struct Input {
  std::string name;
  bool is_float = true;
  std::vector<int64_t> dims;  // -1: open
};

struct OnnxModel {
  int64_t ir_version = 0;
  std::string producer;  // "pytorch 2.1.0"
  int64_t opset = 0;     // of the domain ""
  std::vector<std::pair<std::string, int64_t>> other_opsets;
  std::vector<Node> nodes;  // in the file's order, which is topological
  std::map<std::string, Tensor> initializers;
  std::vector<Input> inputs;
  std::vector<std::string> outputs;
};

struct OnnxReadOptions {
  bool external_data = false;
};

// Errors, without the path: FormatCorrupt, FormatUnsupported (opset, IR, functions, external data
// without the option), LimitExceeded, Io.
Result<OnnxModel> read_onnx_model(const std::string& path, const OnnxReadOptions& options);

}  // namespace penult::converters::onnx
