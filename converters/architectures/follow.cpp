#include "converters/architectures/follow.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "converters/architectures/file_names.h"
#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

// A name and the value that it means.
using Place = std::pair<std::string, ValueId>;

struct Candidate {
  const Architecture* architecture;
  ModelData named;
  std::vector<Place> absorbed;  // as in Following
};

Result<Candidate> follow(const Architecture& architecture, const SourceGraph& source) {
  Following following = {.graph = &source.model.graph, .absorbed = {}};
  StateDict none;
  none.hint = architecture.name;
  none.following = &following;
  PENULT_ASSIGN_OR_RETURN(ModelData named, architecture.build(std::move(none)));
  return Candidate{&architecture, std::move(named), std::move(following.absorbed)};
}

ValueId value_of(const ModelData& model, const Alias& alias) {
  return model.taps[static_cast<size_t>(alias.tap)].value;
}

// How many of the architecture's names the file has for the same values; main names count twice.
int shared_names(const Candidate& candidate, const ModelData& file) {
  std::set<Place> known;
  for (const Tap& tap : file.taps) known.emplace(tap.name, tap.value);
  for (const Alias& alias : file.aliases) known.emplace(alias.name, value_of(file, alias));
  int count = 0;
  for (const Tap& tap : candidate.named.taps) count += known.contains({tap.name, tap.value}) * 2;
  for (const Alias& alias : candidate.named.aliases) {
    count += known.contains({alias.name, value_of(candidate.named, alias)});
  }
  for (const Place& place : candidate.absorbed) count += known.contains(place);
  return count;
}

// Gives the file's graph the architecture's names.
class Adoption {
 public:
  Adoption(Candidate&& candidate, ModelData& model)
      : candidate_(std::move(candidate)), named_(candidate_.named), model_(model) {}
  void run() {
    collect_names();
    take_taps();
    take_names_of_file();
    take_info();
  }

 private:
  void collect_names();
  void take_taps();
  void take_names_of_file();
  void take_info();
  void reserve(const std::string& name);
  int moved(int tap) const { return index_of_.at(named_.taps[static_cast<size_t>(tap)].value); }

  Candidate candidate_;
  ModelData& named_;
  ModelData& model_;
  std::set<std::string> names_;  // and the modules that these lie in
  std::map<ValueId, int> index_of_;
  std::vector<Place> of_file_;
};

// A name and all modules that it lies in: the file may mean other places by these.
void Adoption::reserve(const std::string& name) {
  for (size_t end = name.size(); end != std::string::npos && end > 0;
       end = name.rfind('.', end - 1)) {
    names_.insert(name.substr(0, end));
  }
}

void Adoption::collect_names() {
  for (const Tap& tap : named_.taps) reserve(tap.name);
  for (const Alias& alias : named_.aliases) reserve(alias.name);
  for (const Place& place : candidate_.absorbed) reserve(place.first);
  for (const TapGroup& group : named_.groups) names_.insert(group.name);
  for (const Tap& tap : model_.taps) of_file_.emplace_back(tap.name, tap.value);
  for (const Alias& alias : model_.aliases) {
    const bool is_stage = alias.name.find_first_not_of("-0123456789") == std::string::npos;
    if (!is_stage) of_file_.emplace_back(alias.name, value_of(model_, alias));
  }
}

// In the order in which the graph runs. A place that the architecture does not know, such as a
// softmax behind the classifier, stays one under its old name.
void Adoption::take_taps() {
  std::map<ValueId, std::string> taps;
  for (const Tap& tap : named_.taps) taps[tap.value] = tap.name;
  for (const Tap& tap : model_.taps) {
    if (taps.contains(tap.value)) continue;
    const std::string name = names_.contains(tap.name) ? "file." + tap.name : tap.name;
    if (names_.insert(name).second) taps[tap.value] = name;
  }
  model_.taps.clear();
  for (auto& [value, name] : taps) {
    index_of_[value] = static_cast<int>(model_.taps.size());
    model_.taps.push_back({name, value});
  }
  for (Node& node : model_.graph.nodes) {
    const auto tap = taps.find(node.output);
    if (tap == taps.end()) continue;
    node.name = tap->second;
    model_.graph.values[static_cast<size_t>(node.output)].name = tap->second;
  }
  model_.groups = std::move(named_.groups);
  for (TapGroup& group : model_.groups) {
    for (int& tap : group.taps) tap = moved(tap);
    std::sort(group.taps.begin(), group.taps.end());
  }
}

void Adoption::take_names_of_file() {
  model_.aliases.clear();
  for (const Alias& alias : named_.aliases) {
    model_.aliases.push_back({alias.name, moved(alias.tap)});
  }
  for (const auto& [name, value] : of_file_) {
    const auto tap = index_of_.find(value);
    if (tap == index_of_.end() || !names_.insert(name).second) continue;
    model_.aliases.push_back({name, tap->second});
  }
}

// The graph is as large as it is.
void Adoption::take_info() {
  model_.info.architecture = named_.info.architecture;
  model_.info.preprocess = named_.info.preprocess;
}

std::vector<Candidate> candidates(const SourceGraph& source) {
  std::vector<Candidate> all;
  for (const Architecture& architecture : all_architectures()) {
    auto candidate = follow(architecture, source);
    if (candidate.ok()) all.push_back(std::move(candidate).value());
  }
  return all;
}

std::string note_on(const std::vector<Candidate>& all, const Candidate& chosen) {
  std::string others;
  for (const Candidate& candidate : all) {
    if (&candidate == &chosen) continue;
    others += concat(others.empty() ? "" : ", ", candidate.architecture->name);
  }
  const std::string name = chosen.architecture->name;
  if (others.empty()) return concat("the layers are those of ", name, ", and are called so");
  return concat("the layers are those of ", name, ", and are called so; they are those of ", others,
                " as well: --arch names another one");
}

}  // namespace

Status follow_architecture(const Architecture& architecture, SourceGraph& source) {
  auto candidate = follow(architecture, source);
  if (!candidate.ok()) return candidate.status();
  Adoption(std::move(candidate).value(), source.model).run();
  return {};
}

void recognise_graph(const std::string& hint, SourceGraph& source) {
  std::vector<Candidate> all = candidates(source);
  if (all.empty()) {
    source.notes.emplace_back(
        "the layers are those of no known architecture, and are called as in the file");
    return;
  }
  const auto rank = [&](const Candidate& candidate) {
    return std::pair(shared_names(candidate, source.model),
                     agreement(hint, candidate.architecture->name));
  };
  const auto best =
      std::max_element(all.begin(), all.end(),
                       [&](const Candidate& a, const Candidate& b) { return rank(a) < rank(b); });
  source.notes.push_back(note_on(all, *best));
  Adoption(std::move(*best), source.model).run();
}

}  // namespace penult::converters
