#pragma once

// The weights that tools/seeded_nets.py draws for goldens, drawn again: networks whose published
// weights cannot be had from a package need no stored ones. That file defines the numbers.

#include <cstdint>
#include <string>
#include <vector>

#include "converters/importer.h"
#include "penult/status.h"

namespace penult::testing {

// What PyTorch says of a network (tests/golden/architectures.npz).
struct NetFacts {
  struct Tensor {
    std::string name;
    std::vector<int64_t> dims;
    bool is_counter = false;
  };
  std::string name;
  // That the tensors belong to: `name` without what marks another library's names for the tensors
  // or fewer channels ("resnet50_timm", "efficientnet_b0_narrow").
  std::string architecture() const;
  bool is_variant() const { return architecture() != name; }
  std::vector<Tensor> tensors;     // of its state dict, in order
  std::vector<std::string> nodes;  // of its FX graph, in execution order, the input excluded
};
// All of them, by name. FormatCorrupt, ChecksumMismatch.
Result<std::vector<NetFacts>> load_net_facts();
Result<NetFacts> load_net_facts(const std::string& net);

std::vector<float> seeded_values(const std::string& name, const std::vector<int64_t>& dims);

// The whole state dict.
converters::StateDict seeded_weights(const NetFacts& facts);

// The architecture that recognises the weights, built from them, with what import_file() adds.
Result<ModelData> build_model(converters::StateDict weights);
// The same without the numbers of tensors of two dimensions and more, for those who want shapes.
Result<ModelData> build_without_matrices(const std::string& net);

}  // namespace penult::testing
