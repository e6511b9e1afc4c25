#pragma once

// The bytes of an ONNX file before protobuf sees any: a walk along a table of the fields that are
// known. It bounds what the library would allocate (a sub-message of two bytes becomes hundreds),
// refuses what is ambiguous, and finds the large parts, so that they are parsed one at a time and
// the bytes of a weight are never copied as a whole.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "penult/status.h"

namespace penult::converters::onnx {

inline constexpr uint64_t kMaxOnnxBytes = (uint64_t{1} << 31) - 1;  // protobuf's own
inline constexpr uint32_t kMaxNodes = 65'536, kMaxInitializers = 65'536;
inline constexpr uint32_t kMaxMessages = 1 << 18, kMaxStrings = 1 << 19;  // in the whole file
inline constexpr uint64_t kMaxStringBytes = 64 << 10;                     // of each
inline constexpr uint32_t kMaxAttributes = 64, kMaxOperands = 256;        // of a node
inline constexpr uint32_t kMaxRank = 8;

// The file in encoded pieces; spans point into it.
struct WireParts {
  std::string model, graph;  // ModelHead and GraphHead of onnx_file.proto
  std::vector<std::span<const uint8_t>> nodes, initializers;
};
// Errors: FormatCorrupt, FormatUnsupported (functions, sparse tensors, training), LimitExceeded.
Result<WireParts> check_wire(std::span<const uint8_t> file);

// An encoded tensor that check_wire accepted, cut in two.
struct TensorWire {
  std::string fields;            // all but raw_data
  std::span<const uint8_t> raw;  // what raw_data holds; empty if there is none
};
TensorWire split_tensor(std::span<const uint8_t> tensor);

}  // namespace penult::converters::onnx
