#pragma once

// Weight file -> ModelData. Offline: may be slow, must be loud.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/model/model_data.h"
#include "penult/status.h"

namespace penult::converters {

// Look-ups by the names of a file go through trees and not hash tables throughout: whoever makes a
// file cannot choose names that make them slow.

// A tensor of a state dict, in file order. Only f32 (and f16/bf16/f64, widened or narrowed to f32)
// tensors carry data; integer scalars such as num_batches_tracked have `data` empty and
// `is_counter` true.
struct NamedTensor {
  std::string name;
  std::vector<int64_t> dims;
  std::vector<float> data;
  bool is_counter = false;
};

struct StateDict {
  std::vector<NamedTensor> tensors;
  std::string format;  // "pytorch legacy", "pytorch zip": for messages and provenance
};

// A source format: bytes -> named tensors.
struct Format {
  const char* name;
  bool (*recognises)(std::span<const uint8_t> head);  // by the first bytes (up to 64)
  Result<StateDict> (*read)(const std::string& path);
};
std::span<const Format> all_formats();

// An architecture: named tensors -> graph. One file in converters/architectures each.
struct Architecture {
  const char* name;  // as `--arch` takes it
  // True if names and shapes look like this architecture.
  bool (*recognises)(const StateDict&);
  // Uses every tensor exactly once, else an error names the first that does not fit.
  Result<ModelData> (*build)(StateDict&& weights);
};
std::span<const Architecture> all_architectures();

struct ImportOptions {
  std::string arch;                  // empty: recognise
  std::string weights_name;          // empty: the file name
  int64_t input_h = 0, input_w = 0;  // both 0: the architecture's default
};

// Reads, recognises, builds and validates; fills in source name, SHA-256 and producer.
Result<ModelData> import_file(const std::string& path, const ImportOptions& options);

}  // namespace penult::converters
