// penult inspect: what a model file holds, and what each tap costs.

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/model/model_data.h"
#include "penult/model.h"
#include "tools/penult/command.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

struct Options {
  std::string model;
  bool verbose = false, json = false;
};

std::string shape_text(const TapInfo& tap) {
  return tap.rank == 1 ? fmt::format("{}", tap.c) : fmt::format("{}x{}x{}", tap.c, tap.h, tap.w);
}

void print_json(const Model& model, const std::vector<TapInfo>& taps) {
  const ModelInfo& info = model.data().info;
  nlohmann::ordered_json root;
  root["model"] = {
      {"architecture", info.architecture},   {"weights", info.weights_name},
      {"model_id", info.model_id},           {"source", info.source_name},
      {"source_sha256", info.source_sha256}, {"licence", info.licence},
      {"producer", info.producer},           {"input", {3, info.input_h, info.input_w}}};
  root["taps"] = nlohmann::ordered_json::array();
  for (const TapInfo& tap : taps) {
    std::vector<int64_t> shape = {tap.c};
    if (tap.rank == 3) shape = {tap.c, tap.h, tap.w};
    root["taps"].push_back({{"name", tap.name},
                            {"aliases", tap.aliases},
                            {"op", tap.op},
                            {"shape", shape},
                            {"dim", tap.c},
                            {"macs", tap.macs},
                            {"macs_share", tap.macs_share},
                            {"weights", tap.weights},
                            {"weights_share", tap.weights_share}});
  }
  print_out("{}\n", root.dump());
}

void print_table(const Model& model, const std::vector<TapInfo>& taps, bool verbose) {
  const ModelInfo& info = model.data().info;
  print_out("{} ({}), input 3x{}x{}, {} taps\n", escape_name(info.architecture),
            escape_name(info.weights_name), info.input_h, info.input_w, taps.size());
  print_out("source   {} sha256 {}\n", escape_name(info.source_name), info.source_sha256);
  print_out("model id {}\n", info.model_id);
  if (!info.licence.empty()) print_out("licence  {}\n", escape_name(info.licence));
  size_t width = 4;
  for (const TapInfo& tap : taps) width = std::max(width, escape_name(tap.name).size());
  print_out("\n{:{}}  {:15}  {:>12}  {:>6}  {:>7}  {:>9}{}\n", "name", width, "op", "shape", "dim",
            "MACs %", "weights %", verbose ? "  aliases" : "");
  for (const TapInfo& tap : taps) {
    std::string aliases;
    for (const std::string& alias : tap.aliases) {
      if (verbose) aliases += (aliases.empty() ? "  " : ", ") + escape_name(alias);
    }
    print_out("{:{}}  {:15}  {:>12}  {:>6}  {:>7.2f}  {:>9.2f}{}\n", escape_name(tap.name), width,
              tap.op, shape_text(tap), tap.c, 100 * tap.macs_share, 100 * tap.weights_share,
              aliases);
  }
  print_out("\nMACs and weights: the share of the whole net that is needed up to the tap.\n");
  for (const TapGroup& group : model.data().groups) {
    print_out("-l {} stands for {} taps, -l all for every one.\n", escape_name(group.name),
              group.taps.size());
  }
  if (!verbose) print_out("-v also lists the other names, such as penultimate.\n");
}

Outcome inspect(const Options& options) {
  // Every weight is verified: inspect is what people run on a file that they do not trust.
  auto model = Model::load(options.model, {.verify_all_weights = true});
  if (!model.ok()) return of_file(model.status());
  PENULT_ASSIGN_OR_RETURN(const std::vector<TapInfo> taps, (*model)->taps());
  if (options.json) {
    print_json(**model, taps);
  } else {
    print_table(**model, taps, options.verbose);
  }
  return {};
}

}  // namespace

std::function<Outcome()> declare_inspect(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "model, as written by penult convert")
      ->type_name("FILE")
      ->required();
  app.add_flag("-v,--verbose", options->verbose, "also the other names of each tap");
  app.add_flag("--json", options->json, "one JSON object instead of a table");
  return [options] { return inspect(*options); };
}

}  // namespace penult::program
