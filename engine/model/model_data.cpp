#include "engine/model/model_data.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/model/file_layout.h"

namespace penult {
namespace {

constexpr int64_t kMaxPixels = 16'384;  // of an input or crop side

Status invalid(std::string message) {
  return Status(StatusCode::kModelInvalid, std::move(message));
}

// Taps, aliases and groups share one name space, `all` included. A tree, since names come from
// outside: nobody can choose them so that look-ups become slow.
Status check_names(const ModelData& model) {
  std::set<std::string_view> seen = {"all"};
  const auto check = [&](const std::string& name, const char* what) -> Status {
    if (!is_valid_name(name)) {
      return invalid(concat(what, " ", quote(name), ": expected 1 to ", kMaxNameBytes,
                            " bytes of UTF-8 without control characters"));
    }
    if (!seen.insert(name).second) {
      return invalid(concat(what, " ", quote(name), ": this name is taken already"));
    }
    return {};
  };
  for (const Tap& tap : model.taps) PENULT_RETURN_IF_ERROR(check(tap.name, "tap"));
  for (const Alias& alias : model.aliases) PENULT_RETURN_IF_ERROR(check(alias.name, "alias"));
  for (const TapGroup& group : model.groups) PENULT_RETURN_IF_ERROR(check(group.name, "group"));
  return {};
}

// Index of the node that produces each value of a validated graph, -1 for the input. The graph of a
// model has no other value without a producer; passes may leave some behind later.
Result<std::vector<int>> find_producers(const Graph& graph) {
  std::vector<int> producers(graph.values.size(), -1);
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    producers[static_cast<size_t>(graph.nodes[i].output)] = static_cast<int>(i);
  }
  for (size_t v = 0; v < producers.size(); ++v) {
    if (producers[v] < 0 && static_cast<ValueId>(v) != graph.input) {
      return invalid(
          concat("value ", quote(graph.values[v].name), ": expected a node that produces it"));
    }
  }
  return producers;
}

Status check_taps(const ModelData& model) {
  if (model.taps.empty()) return invalid("the model has no taps, expected at least one");
  PENULT_ASSIGN_OR_RETURN(const std::vector<int> producers, find_producers(model.graph));
  int last = -1;
  for (const Tap& tap : model.taps) {
    if (tap.value < 0 || tap.value >= static_cast<ValueId>(producers.size()) ||
        tap.value == model.graph.input) {
      return invalid(
          concat("tap ", quote(tap.name), ": value ", tap.value, " is not produced by any node"));
    }
    // A short name stands for the last tap inside it, so their order has a meaning.
    const int producer = producers[static_cast<size_t>(tap.value)];
    if (producer < last) {
      return invalid(concat("tap ", quote(tap.name), ": expected taps in execution order"));
    }
    last = producer;
  }
  return {};
}

Status check_references(const ModelData& model) {
  const int taps = static_cast<int>(model.taps.size());
  const auto bad_tap = [&](const std::string& name, int tap) {
    return invalid(concat(quote(name), " refers to tap ", tap, ", expected 0 to ", taps - 1));
  };
  for (const Alias& alias : model.aliases) {
    if (alias.tap < 0 || alias.tap >= taps) return bad_tap(alias.name, alias.tap);
  }
  std::vector<const TapGroup*> last_group(model.taps.size(), nullptr);  // that holds the tap
  for (const TapGroup& group : model.groups) {
    if (group.taps.empty()) return invalid(concat("group ", quote(group.name), " is empty"));
    for (const int tap : group.taps) {
      if (tap < 0 || tap >= taps) return bad_tap(group.name, tap);
      if (std::exchange(last_group[static_cast<size_t>(tap)], &group) == &group) {
        return invalid(concat("group ", quote(group.name), " holds tap ", tap, " twice"));
      }
    }
  }
  return {};
}

// Layers may share a weight, but each has a packed copy: a small file must not fill the memory.
Status check_weight_uses(const Graph& graph) {
  constexpr uint64_t kMaxUses = 4;  // on average
  uint64_t held = 0, used = 0;      // elements, each weight at most 2^40: cannot overflow
  for (const WeightInfo& weight : graph.weights) held += weight.elems();
  for (const Node& node : graph.nodes) {
    for (const WeightId id : node.weights) {
      if (id != kNoWeight) used += graph.weights[static_cast<size_t>(id)].elems();
    }
    if (used > kMaxUses * held) {
      return Status(StatusCode::kLimitExceeded,
                    concat("node ", quote(node.name), ": with it the nodes use more than ",
                           kMaxUses, " times the ", held, " numbers of the weights"));
    }
  }
  return {};
}

Status check_preprocess(const ModelInfo& info) {
  const Preprocess& p = info.preprocess;
  for (const int64_t side : {int64_t{p.resize}, int64_t{p.crop_h}, int64_t{p.crop_w}}) {
    if (side < 1 || side > kMaxPixels) {
      return invalid(
          concat("preprocessing: a side of ", side, " pixels, expected 1 to ", kMaxPixels));
    }
  }
  for (size_t c = 0; c < 3; ++c) {
    if (!std::isfinite(p.mean[c]) || !std::isfinite(p.std[c]) || !(p.std[c] > 0)) {
      return invalid(concat("preprocessing: mean ", static_cast<double>(p.mean[c]), " and std ",
                            static_cast<double>(p.std[c]),
                            ", expected finite numbers and std > 0"));
    }
  }
  return {};
}

// What the loader refuses must not be written either.
Status check_texts(const ModelInfo& info) {
  const auto check = [](const char* what, const std::string& text, size_t limit) -> Status {
    if (text.size() <= limit && is_valid_utf8(text)) return {};
    return invalid(
        concat(what, " ", quote(text), ": expected at most ", limit, " bytes of valid UTF-8"));
  };
  PENULT_RETURN_IF_ERROR(check("weight-set name", info.weights_name, layout::kMaxTextBytes));
  PENULT_RETURN_IF_ERROR(check("source name", info.source_name, layout::kMaxTextBytes));
  PENULT_RETURN_IF_ERROR(check("licence", info.licence, layout::kMaxTextBytes));
  return check("producer", info.producer, kMaxNameBytes);
}

Status check_info(const ModelInfo& info) {
  if (!is_valid_name(info.architecture)) {
    return invalid(concat("architecture ", quote(info.architecture), ": expected 1 to ",
                          kMaxNameBytes, " bytes of UTF-8 without control characters"));
  }
  PENULT_RETURN_IF_ERROR(check_texts(info));
  const std::string& hash = info.source_sha256;
  if (hash.size() != 64 || hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return invalid(concat("source hash ", quote(hash), ": expected 64 hexadecimal digits"));
  }
  if (info.input_c != 3) {
    return invalid(concat("input of ", info.input_c, " channels, expected 3 (RGB)"));
  }
  for (const int64_t side : {info.input_h, info.input_w}) {
    if (side < 1 || side > kMaxPixels) {
      return invalid(concat("input side of ", side, " pixels, expected 1 to ", kMaxPixels));
    }
  }
  return check_preprocess(info);
}

Status unknown_tap(const ModelData& model, const std::string& name) {
  std::vector<std::string> candidates = {"all"};
  for (const Tap& tap : model.taps) candidates.push_back(tap.name);
  for (const Alias& alias : model.aliases) candidates.push_back(alias.name);
  for (const TapGroup& group : model.groups) candidates.push_back(group.name);
  for (const Alias& module : module_names(model)) candidates.push_back(module.name);
  std::string nearest;
  for (const std::string& candidate : nearest_names(name, candidates, 3)) {
    nearest += concat(nearest.empty() ? "; the nearest names are " : ", ", quote(candidate));
  }
  // The tap that every command takes by default: cut off, where the model was truncated.
  if (name == "penultimate" && !model.taps.empty()) {
    nearest = concat("; the model ends at ", quote(model.taps.back().name));
  }
  return Status(StatusCode::kNotFound,
                concat("no tap is called ", quote(name), nearest, "; `penult inspect` lists all"));
}

}  // namespace

Status validate(ModelData& model) {
  PENULT_RETURN_IF_ERROR(check_info(model.info));
  PENULT_RETURN_IF_ERROR(validate(model.graph));
  PENULT_RETURN_IF_ERROR(check_names(model));
  PENULT_RETURN_IF_ERROR(check_taps(model));
  PENULT_RETURN_IF_ERROR(check_references(model));
  PENULT_RETURN_IF_ERROR(check_weight_uses(model.graph));
  return infer_shapes(model.graph, model.info.input_c, model.info.input_h, model.info.input_w);
}

std::vector<Alias> module_names(const ModelData& model) {
  std::set<std::string> seen = {"all"};
  for (const Tap& tap : model.taps) seen.insert(tap.name);
  for (const Alias& alias : model.aliases) seen.insert(alias.name);
  for (const TapGroup& group : model.groups) seen.insert(group.name);
  std::vector<Alias> modules;
  for (int i = static_cast<int>(model.taps.size()); i-- > 0;) {  // the last tap comes first
    const std::string& name = model.taps[i].name;
    for (size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0;
         dot = name.rfind('.', dot - 1)) {
      std::string module = name.substr(0, dot);
      if (seen.insert(module).second) modules.push_back({.name = std::move(module), .tap = i});
    }
  }
  std::reverse(modules.begin(), modules.end());
  return modules;
}

Result<std::vector<int>> resolve_tap(const ModelData& model, const std::string& name) {
  const int taps = static_cast<int>(model.taps.size());
  for (int i = 0; i < taps; ++i) {
    if (model.taps[i].name == name) return std::vector<int>{i};
  }
  for (const Alias& alias : model.aliases) {
    if (alias.name == name) return std::vector<int>{alias.tap};
  }
  for (const TapGroup& group : model.groups) {
    if (group.name == name) return group.taps;
  }
  if (name == "all") {
    std::vector<int> all;
    for (int i = 0; i < taps; ++i) all.push_back(i);
    return all;
  }
  for (const Alias& module : module_names(model)) {
    if (module.name == name) return std::vector<int>{module.tap};
  }
  return unknown_tap(model, name);
}

}  // namespace penult
