#include "tests/support/seeded_weights.h"

#include <cmath>
#include <sstream>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "tests/support/golden.h"

namespace penult::testing {
namespace {

using converters::NamedTensor;
using converters::StateDict;
using Arrays = std::map<std::string, NpyArray>;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// "NAME 64x3x7x7", or "NAME" for a counter.
NetFacts::Tensor parse_tensor(const std::string& line) {
  const size_t space = line.find(' ');
  NetFacts::Tensor tensor{.name = line.substr(0, space), .dims = {}};
  tensor.is_counter = space == std::string::npos;
  if (tensor.is_counter) return tensor;
  std::stringstream dims(line.substr(space + 1));
  for (std::string dim; std::getline(dims, dim, 'x');) tensor.dims.push_back(std::stoll(dim));
  return tensor;
}

Result<NetFacts> parse_facts(const Arrays& arrays, const std::string& net) {
  const auto tensors = arrays.find(net + "/tensors"), nodes = arrays.find(net + "/nodes");
  if (tensors == arrays.end() || nodes == arrays.end()) {
    return Status(StatusCode::kNotFound, concat("architectures.npz: no network ", quote(net)));
  }
  NetFacts facts{.name = net, .tensors = {}, .nodes = {}};
  PENULT_ASSIGN_OR_RETURN(const std::string tensor_text, tensors->second.text());
  for (const std::string& line : lines_of(tensor_text)) {
    facts.tensors.push_back(parse_tensor(line));
  }
  PENULT_ASSIGN_OR_RETURN(const std::string node_text, nodes->second.text());
  facts.nodes = lines_of(node_text);
  return facts;
}

uint64_t fnv1a(const std::string& text) {
  uint64_t value = 0xCBF29CE484222325u;
  for (const char c : text) value = (value ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  return value;
}

// splitmix64's output function.
uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

double uniform(uint64_t bits) { return static_cast<double>(bits >> 40) / (1 << 24); }

double bell(uint64_t bits) {
  uint64_t sum = 0;
  for (int part = 0; part < 4; ++part) sum += bits >> (16 * part) & 0xFFFF;
  return (static_cast<double>(sum) - 131070) * 7.93e-6;
}

double bound_of_weights(const std::vector<int64_t>& dims) {
  int64_t fan_in = 1;
  for (size_t i = 1; i < dims.size(); ++i) fan_in *= dims[i];
  const int variance = dims.size() == 4 && dims[1] == 1 ? 4 : 1;
  return std::sqrt(3.0 * variance / static_cast<double>(fan_in));
}

}  // namespace

std::string NetFacts::architecture() const {
  for (const std::string_view mark : {"_timm", "_narrow"}) {
    if (name.ends_with(mark)) return name.substr(0, name.size() - mark.size());
  }
  return name;
}

Result<std::vector<NetFacts>> load_net_facts() {
  PENULT_ASSIGN_OR_RETURN(const Arrays arrays, read_golden_arrays("architectures"));
  std::vector<NetFacts> all;
  for (const auto& [key, array] : arrays) {
    if (!key.ends_with("/nodes")) continue;
    PENULT_ASSIGN_OR_RETURN(NetFacts facts, parse_facts(arrays, key.substr(0, key.find('/'))));
    all.push_back(std::move(facts));
  }
  return all;
}

Result<NetFacts> load_net_facts(const std::string& net) {
  PENULT_ASSIGN_OR_RETURN(const Arrays arrays, read_golden_arrays("architectures"));
  return parse_facts(arrays, net);
}

std::vector<float> seeded_values(const std::string& name, const std::vector<int64_t>& dims) {
  size_t count = 1;
  for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
  std::vector<float> values(count);
  const bool is_matrix = dims.size() > 1;
  const double bound = is_matrix ? bound_of_weights(dims) : 0;
  const bool is_variance = name.ends_with(".running_var"), is_scale = name.ends_with(".weight");
  uint64_t state = fnv1a(name);
  for (float& value : values) {
    state += 0x9E3779B97F4A7C15u;
    const uint64_t bits = mixed(state);
    const double number = is_matrix     ? (2 * uniform(bits) - 1) * bound
                          : is_variance ? 0.5 + 1.5 * uniform(bits)
                          : is_scale    ? 0.5 + uniform(bits)
                                        : bell(bits);
    value = static_cast<float>(number);
  }
  return values;
}

StateDict seeded_weights(const NetFacts& facts) {
  StateDict weights;
  weights.format = "seeded";
  weights.hint = facts.architecture();
  for (const NetFacts::Tensor& tensor : facts.tensors) {
    weights.tensors.push_back({tensor.name, tensor.dims, {}, tensor.is_counter});
    if (!tensor.is_counter) weights.tensors.back().data = seeded_values(tensor.name, tensor.dims);
  }
  return weights;
}

Result<ModelData> build_model(StateDict weights) {
  for (const converters::Architecture& architecture : converters::all_architectures()) {
    if (!architecture.recognises(weights)) continue;
    PENULT_ASSIGN_OR_RETURN(ModelData model, architecture.build(std::move(weights)));
    model.info.weights_name = "seeded";
    model.info.source_name = "seeded";
    model.info.source_sha256 = std::string(64, '0');
    model.info.producer = "tests";
    PENULT_RETURN_IF_ERROR(validate(model));
    return model;
  }
  return Status(StatusCode::kFormatUnsupported, "no architecture recognises the tensors");
}

Result<ModelData> build_without_matrices(const std::string& net) {
  PENULT_ASSIGN_OR_RETURN(NetFacts facts, load_net_facts(net));
  StateDict dict;
  dict.hint = facts.architecture();
  for (const NetFacts::Tensor& tensor : facts.tensors) {
    dict.tensors.push_back({tensor.name, tensor.dims, {}, tensor.is_counter});
    if (tensor.dims.size() == 1) dict.tensors.back().data = seeded_values(tensor.name, tensor.dims);
  }
  return build_model(std::move(dict));
}

}  // namespace penult::testing
