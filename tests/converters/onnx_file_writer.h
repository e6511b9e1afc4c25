#pragma once

// ONNX files for tests, written byte by byte: protobuf itself would not write most of what a reader
// must refuse. Numbers of fields: https://onnx.ai/onnx/repo-docs/IR.html.

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "converters/onnx/onnx_model.h"

namespace penult::converters::onnx::testing {

inline std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(0x80 | (value & 0x7f));
  return out + static_cast<char>(value);
}
inline std::string tag(uint32_t number, uint32_t wire_type) {
  return varint(uint64_t{number} << 3 | wire_type);
}
inline std::string number(uint32_t field, int64_t value) {
  return tag(field, 0) + varint(static_cast<uint64_t>(value));
}
inline std::string bytes(uint32_t field, std::string_view payload) {
  return tag(field, 2) + varint(payload.size()) + std::string(payload);
}
// The bytes of numbers as they lie in memory.
template <typename T>
std::string raw(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}
inline std::string float_field(uint32_t field, float value) {
  return tag(field, 5) + raw(std::vector<float>{value});
}
// A list of varints: packed, or one by one.
inline std::string packed(uint32_t field, const std::vector<int64_t>& values) {
  std::string payload;
  for (const int64_t value : values) payload += varint(static_cast<uint64_t>(value));
  return bytes(field, payload);
}
inline std::string unpacked(uint32_t field, const std::vector<int64_t>& values) {
  std::string out;
  for (const int64_t value : values) out += number(field, value);
  return out;
}

// Types of tensors, as the format numbers them.
enum : int64_t {
  kF32 = 1,
  kU8,
  kI8,
  kU16,
  kI16,
  kI32,
  kI64,
  kString,
  kBool,
  kF16,
  kF64,
  kU32,
  kU64,
  kBf16 = 16
};

inline std::string raw_data(std::string_view data) { return bytes(9, data); }
inline std::string tensor(const std::string& name, const std::vector<int64_t>& dims, int64_t type,
                          const std::string& data) {
  return unpacked(1, dims) + number(2, type) + bytes(8, name) + data;
}
inline std::string entry(const std::string& key, const std::string& value) {
  return bytes(1, key) + bytes(2, value);
}

inline std::string attribute(const std::string& name, int64_t type, const std::string& value) {
  return bytes(1, name) + value + number(20, type);
}
inline std::string node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::vector<std::string>& outputs, const std::string& more = "") {
  std::string out;
  for (const std::string& name : inputs) out += bytes(1, name);
  for (const std::string& name : outputs) out += bytes(2, name);
  return out + bytes(4, op) + more;
}

// A value of the graph. Dimensions: -1 is open.
inline std::string value(const std::string& name, const std::vector<int64_t>& dims,
                         int64_t type = kF32) {
  std::string shape;
  for (const int64_t dim : dims) shape += bytes(1, dim < 0 ? bytes(2, "n") : number(1, dim));
  return bytes(1, name) + bytes(2, bytes(1, number(1, type) + bytes(2, shape)));
}

inline std::string opset(int64_t version, const std::string& domain = "") {
  return (domain.empty() ? "" : bytes(1, domain)) + number(2, version);
}

// Fields of a graph.
inline std::string graph_node(const std::string& n) { return bytes(1, n); }
inline std::string initializer(const std::string& t) { return bytes(5, t); }
inline std::string graph_input(const std::string& v) { return bytes(11, v); }
inline std::string graph_output(const std::string& v) { return bytes(12, v); }

// opset_import comes last, so that no truncated model is whole.
inline std::string model(const std::string& graph, int64_t version = 13, int64_t ir = 8) {
  return number(1, ir) + bytes(7, graph) + bytes(8, opset(version));
}
// x -> Relu -> y, with more fields of the graph.
inline std::string relu_graph(const std::string& more = "") {
  return graph_node(node("Relu", {"x"}, {"y"})) + more + graph_input(value("x", {1, 3, 8, 8})) +
         graph_output(value("y", {}));
}

// Reads models from memory, or from a folder of the test's own, where other files may lie.
class Folder {
 public:
  Folder();
  ~Folder();
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, std::string_view content) const;
  Result<OnnxModel> read(const std::string& content) const;
  Result<OnnxModel> read_with_external_data(const std::string& content) const;

 private:
  std::string path_;
  int memory_;  // a file that no disk makes slow
};

}  // namespace penult::converters::onnx::testing
