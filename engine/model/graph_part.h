#pragma once

// The FlatBuffers part of a .penult file <-> ModelData. The only two places that see FlatBuffers
// types are read_graph_part.cpp and write_graph_part.cpp.

#include <cstdint>
#include <span>
#include <vector>

#include "engine/model/model_data.h"
#include "engine/model/weight_file.h"

namespace penult {

// What the graph part says. Offsets of `weights` are relative to the weights section.
struct GraphPart {
  ModelData model;
  std::vector<WeightRange> weights;
  std::vector<Shape> stored_shapes;  // by value, at the default input size
};

// Verifies the buffer's structure, then every field that is read (rules P9 to P20 of the reader:
// docs/model-format.md). Nothing is allocated by a declared size that the bytes do not contain.
// FormatCorrupt, FormatUnsupported (unknown operator), LimitExceeded, ModelInvalid.
Result<GraphPart> read_graph_part(std::span<const uint8_t> bytes);

// The inverse. The same model gives the same bytes.
std::vector<uint8_t> write_graph_part(const GraphPart& part);

}  // namespace penult
