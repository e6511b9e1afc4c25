#include "converters/onnx/names.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

// Stages are called 0, 1, ... and -1, -2, ...
bool is_number(const std::string& name) {
  const size_t first = !name.empty() && name[0] == '-' ? 1 : 0;
  return first < name.size() && name.find_first_not_of("0123456789", first) == std::string::npos;
}

// Names that mean something else.
bool is_reserved(const std::string& name) {
  return is_number(name) || name == "all" || name == "blocks" || name == "penultimate" ||
         name == "input";
}

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

std::string join(const std::string& module, const std::string& last) {
  return module.empty() ? last : module + "." + last;
}

// A node's place in the network's modules, if the file says it, and what it is in there: the
// operator, numbered if there are more of its kind ("Relu_1").
struct Place {
  bool is_known = false;
  std::string module, op;
};

Place place_of(const ValueNames& names, const std::string& op) {
  const std::string& node = names.node;
  // No longer than a name may be: all that a module lies in is looked at.
  if (!node.empty() && node[0] == '/' && node.size() <= kMaxNameBytes) {
    return {true, module_of_path(node), node.substr(node.rfind('/') + 1)};
  }
  if (!names.module.empty() && names.module.size() <= kMaxNameBytes) {
    return {true, names.module, op};
  }
  return {};
}

// How many nodes lie in each module, those of modules inside it included.
std::map<std::string, int> count_nodes(const std::vector<Place>& places) {
  std::map<std::string, int> counts;
  for (const Place& place : places) {
    for (size_t end = place.module.size(); end != std::string::npos && end > 0;
         end = place.module.rfind('.', end - 1)) {
      ++counts[place.module.substr(0, end)];
    }
  }
  return counts;
}

// A layer is called as its module if it is all of it, else by what it does in there.
std::string main_name(const Place& place, const ValueNames& names, const std::string& op,
                      const std::map<std::string, int>& counts) {
  if (place.is_known) {
    const auto count = counts.find(place.module);
    const bool is_all = count != counts.end() && count->second == 1;
    const std::string name = is_all ? place.module : join(place.module, lower(place.op));
    if (!is_reserved(name)) return name;
  }
  const std::string& own = names.node.empty() ? names.tensor : names.node;
  return is_reserved(own) || own.empty() ? concat(lower(op), "_", own) : own;
}

}  // namespace

bool UniqueNames::take(const std::string& name) {
  return is_valid_name(name) && taken_.insert(name).second;
}

std::string UniqueNames::add(const std::string& name) {
  if (take(name)) return name;
  constexpr size_t kRoom = 12;  // for a number
  std::string base = is_valid_name(name) ? name : escape_name(name.empty() ? "unnamed" : name);
  while (base.size() > kMaxNameBytes - kRoom || !is_valid_utf8(base)) base.pop_back();
  if (take(base)) return base;
  for (int& i = next_[base];;) {
    std::string numbered = concat(base, "_", ++i);
    if (take(numbered)) return numbered;
  }
}

std::string module_of_path(const std::string& node) {
  std::string path, last;  // `last`: the part of `path` that came with the last piece
  for (size_t at = 1; at < node.size() && node[0] == '/';) {
    const size_t end = node.find('/', at);
    if (end == std::string::npos) break;  // the operator
    const std::string piece = node.substr(at, end - at);
    at = end + 1;
    // A numbered child repeats its parent's name: layer1, layer1.0.
    const bool repeats = !last.empty() && piece.compare(0, last.size() + 1, last + ".") == 0;
    if (repeats) path.resize(path.size() - last.size());
    path += !repeats && !path.empty() ? "." + piece : piece;
    last = piece;
  }
  return path;
}

void name_taps(const std::vector<std::vector<ValueNames>>& names,
               const std::vector<std::string>& ops, ModelData& model) {
  Graph& graph = model.graph;
  UniqueNames unique, aliases;
  unique.take("input");
  std::vector<Place> places(names.size());
  for (size_t v = 1; v < names.size(); ++v) {
    if (!names[v].empty()) places[v] = place_of(names[v][0], ops[v]);
  }
  const std::map<std::string, int> counts = count_nodes(places);
  for (size_t v = 1; v < names.size(); ++v) {
    penult::Node& node = graph.nodes[v - 1];
    const bool is_tap = !names[v].empty();
    node.name = unique.add(is_tap ? main_name(places[v], names[v][0], ops[v], counts)
                                  : concat("penult.", node.op->name, "_", v));
    graph.values[v].name = node.name;
    if (is_tap) model.taps.push_back({node.name, static_cast<ValueId>(v)});
  }
  const auto add_alias = [&](const std::string& name, size_t tap) {
    if (!is_reserved(name) && unique.take(name))
      model.aliases.push_back({name, static_cast<int>(tap)});
  };
  for (size_t i = 0; i < model.taps.size(); ++i) {
    const auto v = static_cast<size_t>(model.taps[i].value);
    for (size_t k = 0; k < names[v].size(); ++k) {
      const ValueNames& known = names[v][k];
      if (k > 0) {
        const Place place = place_of(known, ops[v]);
        if (place.is_known) add_alias(join(place.module, lower(place.op)), i);
      }
      add_alias(known.node, i);
      add_alias(known.tensor, i);
    }
  }
}

}  // namespace penult::converters::onnx
