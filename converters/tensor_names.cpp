#include "converters/tensor_names.h"

#include <algorithm>
#include <string_view>

#include "engine/base/text.h"

namespace penult::converters {
namespace {

constexpr std::string_view kPrefixes[] = {"module.", "_orig_mod.", "model.", "backbone."};
constexpr int kMaxPrefixes = 8;  // of one file: nobody wraps more often, and each costs a pass

// The number of models that torch's AveragedModel has averaged; beside the tensors of its "module".
bool is_average_count(const NamedTensor& tensor) {
  return tensor.name == "n_averaged" && tensor.is_counter && tensor.dims.empty();
}

bool all_have(const StateDict& weights, std::string_view prefix) {
  const auto has_it = [&](const NamedTensor& tensor) {
    return is_average_count(tensor) ||
           (tensor.name.size() > prefix.size() && tensor.name.starts_with(prefix));
  };
  return std::all_of(weights.tensors.begin(), weights.tensors.end(), has_it) &&
         !std::all_of(weights.tensors.begin(), weights.tensors.end(), is_average_count);
}

}  // namespace

void strip_prefixes(StateDict& weights) {
  std::string stripped;
  for (int i = 0; i < kMaxPrefixes; ++i) {
    const auto prefix =
        std::find_if(std::begin(kPrefixes), std::end(kPrefixes),
                     [&](std::string_view candidate) { return all_have(weights, candidate); });
    if (prefix == std::end(kPrefixes)) break;
    std::erase_if(weights.tensors, is_average_count);
    for (NamedTensor& tensor : weights.tensors) tensor.name.erase(0, prefix->size());
    stripped += *prefix;
  }
  if (!stripped.empty()) weights.format += concat(", names without ", quote(stripped));
}

}  // namespace penult::converters
