#pragma once

// Everything a .penult file says, owned: what importers build, the writer stores, the loader
// returns.

#include <array>
#include <string>
#include <vector>

#include "engine/graph/graph.h"
#include "penult/preprocess.h"

namespace penult {

// A place at which features can be taken.
struct Tap {
  std::string name;  // main name: torchvision's, else timm's
  ValueId value = kNoValue;
};

struct Alias {
  std::string name;
  int tap = 0;  // index into taps
};

// A name that stands for several taps ("blocks").
struct TapGroup {
  std::string name;
  std::vector<int> taps;
};

struct ModelInfo {
  std::string architecture;   // "mobilenet_v2", "tf_efficientnet_lite0"
  std::string weights_name;   // which weight set, free text
  std::string source_name;    // file name of the source, without folders
  std::string source_sha256;  // hex, 64 digits
  std::string licence;        // licence text or SPDX id of the weights, may be empty
  std::string producer;       // "penult 0.1.0"
  std::string
      model_id;  // hex SHA-256 over graph part and block checksum table; set by loader and writer
  int64_t input_c = 3, input_h = 224, input_w = 224;  // default input size
  bool fixed_size = false;  // the graph is the source's network at that size only
  Preprocess preprocess;
  std::string note;  // what the importer had to choose, for the user to read; in no file
};

struct ModelData {
  Graph graph;  // unfused, as the source has it; taps in execution order
  std::vector<Tap> taps;
  std::vector<Alias> aliases;  // includes "penultimate"
  std::vector<TapGroup> groups;
  ModelInfo info;
};

// Everything verify() of the graph cannot see: tap, alias and group ids in range, names valid and
// unique over taps, aliases and groups, source hash well formed, preprocessing in range.
Status validate(ModelData& model);

// The names of modules, each with the last tap inside it (`layer4` -> `layer4.2.relu_2`), apart
// from those that are names of taps, aliases or groups themselves. In order of the taps.
std::vector<Alias> module_names(const ModelData& model);

// Resolves one name as product.md says: main name, alias, group, `all`, module name. NotFound
// carries the nearest names.
Result<std::vector<int>> resolve_tap(const ModelData& model, const std::string& name);

}  // namespace penult
