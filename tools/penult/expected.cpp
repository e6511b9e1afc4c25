#include "tools/penult/expected.h"

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/image/image.h"
#include "engine/model/file_layout.h"
#include "engine/model/model_data.h"

namespace penult::program {
namespace {

using Loaded = std::shared_ptr<const Model>;

enum class Kind { kGolden, kModel, kWeights };

// An .npz is a zip file, as some weight files are: there the name decides.
Result<Kind> kind_of(const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  std::vector<uint8_t> head(std::min<uint64_t>(file.size(), 64));
  PENULT_RETURN_IF_ERROR(file.read_at(0, head));
  if (path.ends_with(".npz")) return Kind::kGolden;
  const std::span magic(layout::kMagic);
  if (head.size() >= magic.size() && std::equal(magic.begin(), magic.end(), head.begin()))
    return Kind::kModel;
  for (const converters::Format& format : converters::all_formats()) {
    if (format.recognises(head, path)) return Kind::kWeights;
  }
  return Kind::kGolden;
}

Result<Expected> of_golden(const std::string& path, const Preprocess& preprocess) {
  PENULT_ASSIGN_OR_RETURN(golden::Golden golden, golden::read_golden(path));
  Expected expected{.taps = std::move(golden.taps),
                    .input = std::move(golden.input),
                    .side = {golden.size, golden.size}};
  if (!expected.input.empty()) return expected;
  const Image crop{.h = golden.size, .w = golden.size, .rgb = std::move(golden.pixels)};
  expected.input.resize(crop.rgb.size());
  normalize_to_chw(crop, preprocess, expected.input);
  return expected;
}

// By name and alias, names first.
std::map<std::string, int> taps_by_name(const ModelData& model) {
  std::map<std::string, int> taps;
  for (size_t i = 0; i < model.taps.size(); ++i)
    taps.emplace(model.taps[i].name, static_cast<int>(i));
  for (const Alias& alias : model.aliases) taps.emplace(alias.name, alias.tap);
  return taps;
}

// A tap of the model and what the other network calls it; both main names.
struct Pair {
  std::string ours, theirs;
};

std::vector<Pair> pairs_of(const ModelData& model, const ModelData& other) {
  const std::map<std::string, int> others = taps_by_name(other);
  std::vector<const std::string*> theirs(model.taps.size(), nullptr);
  const auto look_up = [&](const std::string& name, size_t tap) {
    const auto found = others.find(name);
    if (theirs[tap] != nullptr || found == others.end()) return;
    theirs[tap] = &other.taps[static_cast<size_t>(found->second)].name;
  };
  for (size_t i = 0; i < model.taps.size(); ++i) look_up(model.taps[i].name, i);
  for (const Alias& alias : model.aliases) look_up(alias.name, static_cast<size_t>(alias.tap));
  std::vector<Pair> pairs;
  for (size_t i = 0; i < theirs.size(); ++i)
    if (theirs[i] != nullptr) pairs.push_back({model.taps[i].name, *theirs[i]});
  return pairs;
}

std::string some_names(const ModelData& model) {
  std::string names;
  const size_t count = std::min<size_t>(model.taps.size(), 3);
  for (size_t i = 0; i < count; ++i) names += concat(i == 0 ? "" : ", ", quote(model.taps[i].name));
  return names;
}

Side common_side(const Model& model, const Model& other) {
  const Side ours = trial_side(model), theirs = trial_side(other);
  const bool same = ours.h == theirs.h && ours.w == theirs.w;
  return same ? ours : Side{other.input_h(), other.input_w()};
}

Result<Expected> of_network(const Loaded& other, const Model& model) {
  Expected expected{.side = common_side(model, *other), .network = other->architecture()};
  if (expected.network.empty()) expected.network = "a network";
  const std::vector<Pair> pairs = pairs_of(model.data(), other->data());
  if (pairs.empty()) {
    expected.nothing_in_common =
        concat("no tap has a name in both networks; the model's are ", some_names(model.data()),
               "..., the other's ", some_names(other->data()), "...; `penult inspect` lists them");
    return expected;
  }
  ExtractorOptions options;
  options.backend = "reference";
  // Two taps of ours may be one of theirs.
  for (const Pair& pair : pairs) {
    if (std::find(options.taps.begin(), options.taps.end(), pair.theirs) == options.taps.end())
      options.taps.push_back(pair.theirs);
  }
  expected.input = trial_input(expected.side);
  PENULT_ASSIGN_OR_RETURN(const Trial trial,
                          run_trial(other, options, expected.input, expected.side));
  std::map<std::string, size_t> outputs;
  for (size_t i = 0; i < trial.outputs.size(); ++i) outputs[trial.outputs[i].name] = i;
  for (const Pair& pair : pairs)
    expected.taps.push_back(golden::complete_tap(pair.ours, trial.values[outputs.at(pair.theirs)]));
  return expected;
}

}  // namespace

Result<Expected> read_expected(const std::string& path, const converters::ImportOptions& options,
                               const Model& model) {
  PENULT_ASSIGN_OR_RETURN(const Kind kind, kind_of(path));
  if (kind == Kind::kGolden) return of_golden(path, model.preprocess());
  if (kind == Kind::kModel) {
    PENULT_ASSIGN_OR_RETURN(const Loaded other, Model::load(path));
    return of_network(other, model);
  }
  PENULT_ASSIGN_OR_RETURN(ModelData imported, converters::import_file(path, options));
  PENULT_ASSIGN_OR_RETURN(const Loaded other, Model::from_data(std::move(imported)));
  return of_network(other, model);
}

}  // namespace penult::program
