#pragma once

// Weight file -> ModelData. Offline: may be slow, must be loud.

#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "converters/known_weights.h"
#include "engine/model/model_data.h"
#include "penult/status.h"

namespace penult::converters {

// Look-ups by the names of a file go through trees and not hash tables throughout: whoever makes a
// file cannot choose names that make them slow.

// A graph in which an architecture looks for its layers, where a file holds the network itself.
struct Following {
  const Graph* graph = nullptr;  // shapes inferred
  // Places of the architecture that the graph has not: convolutions that took in the batchnorm
  // behind them, with the values that these yield now, and maps joined only together with others.
  std::vector<std::pair<std::string, ValueId>> absorbed;
};

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
  std::optional<Preprocess> preprocess;  // where the file says it
  std::vector<std::string> notes;        // choices made on the way: a line each, for the user
  // Not null: there are no tensors, and Architecture::build() yields names of that graph's values
  // and no graph.
  Following* following = nullptr;
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
  std::string format;             // these three as in StateDict
  std::optional<Preprocess> preprocess;
  std::vector<std::string> notes;
  std::set<std::string> data_files;  // names of others beside the file that were read, too
};

// What a file holds: tensors, whose network an architecture knows, or all of it.
using Source = std::variant<StateDict, SourceGraph>;

struct ReadOptions {
  bool external_data = false;        // read the weights that the file keeps in others beside it
  int64_t input_h = 0, input_w = 0;  // where the file leaves them open; both 0: 224
  std::string entry = {};            // of a checkpoint, to be taken; empty: the best
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
  std::string arch;                      // empty: recognise
  std::string weights_name;              // empty: that of a known file, or the file name
  int64_t input_h = 0, input_w = 0;      // both 0: those of the preprocessing
  bool external_data = false;            // as ReadOptions
  std::string entry = {};                // as ReadOptions
  std::optional<Preprocess> preprocess;  // instead of what file or architecture say
  std::optional<KnownWeights> known;     // what the file is; else looked up by its SHA-256
};

// What was found and decided on the way, for the user.
struct ImportReport {
  std::string format;              // as StateDict::format
  std::string preprocess_by;       // who said how to prepare pictures: "architecture resnet50"
  std::vector<std::string> notes;  // a line each
};

// Reads, recognises, builds and validates; fills in source name, SHA-256 and producer. The SHA-256
// is that of the file; where weights came from others beside it, it is the SHA-256 of a text: the
// 64 hex digits of the file, then those of each of the others in the order of their names.
// Preprocessing: of the options, else the file, else the known weights, else the architecture.
Result<ModelData> import_file(const std::string& path, const ImportOptions& options,
                              ImportReport* report = nullptr);

}  // namespace penult::converters
