#include "tools/penult/expected.h"

#include <algorithm>
#include <map>
#include <optional>
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

// Numbers of a tap of the model and of the other network's of the same name.
struct Pair {
  size_t ours, theirs;
};

std::vector<Pair> pairs_of(const ModelData& model, const ModelData& other) {
  const std::map<std::string, int> others = taps_by_name(other);
  std::vector<std::optional<size_t>> theirs(model.taps.size());
  const auto look_up = [&](const std::string& name, size_t tap) {
    const auto found = others.find(name);
    if (!theirs[tap] && found != others.end()) theirs[tap] = static_cast<size_t>(found->second);
  };
  for (size_t i = 0; i < model.taps.size(); ++i) look_up(model.taps[i].name, i);
  for (const Alias& alias : model.aliases) look_up(alias.name, static_cast<size_t>(alias.tap));
  std::vector<Pair> pairs;
  for (size_t i = 0; i < theirs.size(); ++i)
    if (theirs[i]) pairs.push_back({i, *theirs[i]});
  return pairs;
}

std::string some_names(const ModelData& model) {
  std::string names;
  const size_t count = std::min<size_t>(model.taps.size(), 3);
  for (size_t i = 0; i < count; ++i) names += concat(i == 0 ? "" : ", ", quote(model.taps[i].name));
  return names;
}

using Taps = std::vector<TapInfo>;

// A size at which both run, and their taps at that; the taps stay empty if there is none.
struct Common {
  Side side = {};
  Taps ours = {}, theirs = {};
};

Result<Common> find_common(const Model& model, const Model& other) {
  const Side theirs = {other.input_h(), other.input_w()}, ours = {model.input_h(), model.input_w()};
  for (const Side& side : {trial_side(model), theirs, ours}) {
    auto taps = model.taps(side.h, side.w), other_taps = other.taps(side.h, side.w);
    if (taps.ok() && other_taps.ok()) return Common{side, std::move(*taps), std::move(*other_taps)};
    for (const Status& status : {taps.status(), other_taps.status()}) {
      if (!status.ok() && status.code() != StatusCode::kInvalidArgument) return status;
    }
  }
  return Common{};
}

std::string to_text(const Side& side) { return concat(side.h, " x ", side.w); }

std::string shape_of(const TapInfo& tap) {
  using Dims = std::vector<int64_t>;
  return concat(tap.rank == 1 ? Dims{tap.c} : Dims{tap.c, tap.h, tap.w});
}

// A vector may be the other's map, flattened.
bool is_alike(const TapInfo& a, const TapInfo& b) {
  if (a.rank == 1 || b.rank == 1) return a.c * a.h * a.w == b.c * b.h * b.w;
  return a.c == b.c && a.h == b.h && a.w == b.w;
}

// Why values of equal names cannot be compared; empty if they can.
std::string why_not_comparable(const Common& common, const std::vector<Pair>& pairs) {
  std::string first;
  size_t differ = 0;
  for (const Pair& pair : pairs) {
    const TapInfo& ours = common.ours[pair.ours];
    const TapInfo& theirs = common.theirs[pair.theirs];
    if (is_alike(ours, theirs)) continue;
    if (++differ > 1) continue;
    first = concat("tap ", quote(ours.name), " has the shape ", shape_of(theirs), ", the model's ",
                   shape_of(ours), ", at ", to_text(common.side));
  }
  if (differ == 0) return "";
  return concat(first, "; ", differ, " of ", pairs.size(),
                " taps of equal names differ like this: another network, or another variant of it");
}

// What the other network has at the pairs, computed by the reference.
Status run_pairs(const Loaded& other, const Common& common, const std::vector<Pair>& pairs,
                 Expected& expected) {
  ExtractorOptions options;
  options.backend = "reference";
  // Two taps of ours may be one of theirs.
  for (const Pair& pair : pairs) {
    const std::string& name = common.theirs[pair.theirs].name;
    if (std::find(options.taps.begin(), options.taps.end(), name) == options.taps.end())
      options.taps.push_back(name);
  }
  expected.input = trial_input(expected.side);
  PENULT_ASSIGN_OR_RETURN(const Trial trial,
                          run_trial(other, options, expected.input, expected.side));
  std::map<std::string, size_t> outputs;
  for (size_t i = 0; i < trial.outputs.size(); ++i) outputs[trial.outputs[i].name] = i;
  for (const Pair& pair : pairs) {
    const size_t output = outputs.at(common.theirs[pair.theirs].name);
    expected.taps.push_back(
        golden::complete_tap(common.ours[pair.ours].name, trial.values[output]));
  }
  return {};
}

Result<Expected> of_network(const Loaded& other, const Model& model) {
  Expected expected{.network = other->architecture()};
  if (expected.network.empty()) expected.network = "a network";
  const std::vector<Pair> pairs = pairs_of(model.data(), other->data());
  if (pairs.empty()) {
    expected.not_comparable =
        concat("no tap has a name in both networks; the model's are ", some_names(model.data()),
               "..., the other's ", some_names(other->data()), "...; `penult inspect` lists them");
    return expected;
  }
  PENULT_ASSIGN_OR_RETURN(const Common common, find_common(model, *other));
  expected.side = common.side;
  expected.not_comparable =
      common.ours.empty() ? concat("no input size suits both networks: the model's is ",
                                   to_text({model.input_h(), model.input_w()}), ", the other's ",
                                   to_text({other->input_h(), other->input_w()}))
                          : why_not_comparable(common, pairs);
  if (!expected.not_comparable.empty()) return expected;
  PENULT_RETURN_IF_ERROR(run_pairs(other, common, pairs, expected));
  return expected;
}

}  // namespace

Result<Expected> read_expected(const std::string& path, const converters::ImportOptions& options,
                               const Model& model) {
  PENULT_ASSIGN_OR_RETURN(const Kind kind, kind_of(path));
  if (kind != Kind::kWeights && !(options.arch.empty() && options.entry.empty())) {
    return Status(StatusCode::kInvalidArgument,
                  concat(quote(path), " is a ", kind == Kind::kGolden ? "golden" : "model",
                         ", expected a weight file, whose architecture --arch could say, or whose "
                         "entry --entry"));
  }
  if (kind == Kind::kGolden) return of_golden(path, model.preprocess());
  if (kind == Kind::kModel) {
    PENULT_ASSIGN_OR_RETURN(const Loaded other, Model::load(path));
    return of_network(other, model);
  }
  converters::ImportOptions as_model = options;
  if (model.data().info.fixed_size) {  // the file is another network at each size
    as_model.input_h = model.input_h();
    as_model.input_w = model.input_w();
  }
  PENULT_ASSIGN_OR_RETURN(ModelData imported, converters::import_file(path, as_model));
  PENULT_ASSIGN_OR_RETURN(const Loaded other, Model::from_data(std::move(imported)));
  return of_network(other, model);
}

}  // namespace penult::program
