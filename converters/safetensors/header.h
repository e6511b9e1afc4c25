#pragma once

// The header of a safetensors file: JSON that names its tensors.
//
// Format: https://github.com/huggingface/safetensors#format

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "converters/dtype.h"
#include "penult/status.h"

namespace penult::converters {

struct TensorEntry {
  std::string name;
  Dtype dtype = Dtype::kFloat32;
  std::vector<int64_t> dims;
  uint64_t begin = 0, end = 0;  // in the bytes behind the header
};

// In the order of the header. FormatCorrupt: not the JSON of a header, names twice; also what other
// readers could understand differently. FormatUnsupported: element types that are not known.
// LimitExceeded: more than 65,536 tensors, more than 8 dimensions.
Result<std::vector<TensorEntry>> read_header(std::span<const uint8_t> json);

// FormatCorrupt unless every tensor has the bytes that its shape asks for, and all of them together
// fill `data_bytes` without gap or overlap.
Status check_layout(std::span<const TensorEntry> entries, uint64_t data_bytes);

}  // namespace penult::converters
