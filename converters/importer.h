#pragma once

// Weight file -> ModelData. Offline: may be slow, must be loud.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
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
  // The file's name, or the architecture that the user named: tells networks apart whose tensors
  // are called the same.
  std::string hint;
};

// What a file calls a value; each may be empty.
struct ValueNames {
  std::string node;    // that yields it: "/layer1/layer1.0/conv1/Conv"
  std::string tensor;  // "onnx::Relu_193"
  std::string module;  // of the framework that wrote the file, where it says: "layer1.0.conv1"
};

// A whole network, as files that hold a graph have it. Taps carry the file's names.
struct SourceGraph {
  ModelData model;
  std::vector<ValueNames> names;  // by value of model.graph
};

// What a file holds: tensors, whose network an architecture knows, or all of it.
using Source = std::variant<StateDict, SourceGraph>;

struct ReadOptions {
  bool external_data = false;        // read the weights that the file keeps in others beside it
  int64_t input_h = 0, input_w = 0;  // where the file leaves them open; both 0: 224
};

// A source format. One folder in converters/ each, and a row in importer.cpp.
struct Format {
  const char* name;
  // By the first bytes (up to 64) and, where those say nothing, the path's ending.
  bool (*recognises)(std::span<const uint8_t> head, std::string_view path);
  // Errors without the path: FormatCorrupt, FormatUnsupported, LimitExceeded, Io.
  Result<Source> (*read)(const std::string& path, const ReadOptions& options);
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
  bool external_data = false;        // as ReadOptions
};

// Reads, recognises, builds and validates; fills in source name, SHA-256 and producer.
Result<ModelData> import_file(const std::string& path, const ImportOptions& options);

}  // namespace penult::converters
