// penult inspect: what a model file holds, and what each tap costs.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/model/model_data.h"
#include "penult/model.h"
#include "tools/penult/command.h"
#include "tools/penult/step_columns.h"
#include "tools/penult/streams.h"
#include "tools/penult/tap_costs.h"

namespace penult::program {
namespace {

struct Options {
  std::string model;
  bool verbose = false, json = false, no_ms = false;
};

nlohmann::ordered_json json_of(const TapInfo& tap, std::optional<uint64_t> ram,
                               std::optional<double> ms) {
  std::vector<int64_t> shape = {tap.c};
  if (tap.rank == 3) shape = {tap.c, tap.h, tap.w};
  nlohmann::ordered_json json = {{"name", tap.name},
                                 {"aliases", tap.aliases},
                                 {"op", tap.op},
                                 {"shape", shape},
                                 {"dim", tap.c},
                                 {"macs", tap.macs},
                                 {"macs_share", tap.macs_share},
                                 {"weights", tap.weights},
                                 {"weights_share", tap.weights_share},
                                 {"ram_bytes", nullptr},
                                 {"receptive_field", tap.receptive_field},
                                 {"stride", nullptr},
                                 {"ms", nullptr}};
  if (ram) json["ram_bytes"] = *ram;
  if (tap.stride > 0) json["stride"] = tap.stride;
  if (ms) json["ms"] = std::round(*ms * 1e4) / 1e4;
  return json;
}

void print_json(const Model& model, const std::vector<TapInfo>& taps, const TapCosts& costs,
                bool verbose) {
  const ModelInfo& info = model.data().info;
  nlohmann::ordered_json root;
  root["model"] = {
      {"architecture", info.architecture},   {"weights", info.weights_name},
      {"model_id", info.model_id},           {"source", info.source_name},
      {"source_sha256", info.source_sha256}, {"licence", info.licence},
      {"producer", info.producer},           {"input", {3, info.input_h, info.input_w}},
      {"fixed_size", info.fixed_size}};
  root["taps"] = nlohmann::ordered_json::array();
  for (size_t t = 0; t < taps.size(); ++t) {
    root["taps"].push_back(json_of(taps[t], costs.ram_bytes[t], costs.ms[t]));
  }
  if (verbose) {
    root["steps"] = nlohmann::ordered_json::array();
    for (const StepInfo& step : costs.steps) {
      root["steps"].push_back(
          {{"name", step.name}, {"kernel", step.kernel}, {"declined", step.declined}});
    }
  }
  root["notes"] = costs.notes;
  print_out("{}\n", root.dump());
}

void print_model(const Model& model, size_t taps) {
  const ModelInfo& info = model.data().info;
  print_out("{} ({}), input 3x{}x{}{}, {} taps\n", escape_name(info.architecture),
            escape_name(info.weights_name), info.input_h, info.input_w,
            info.fixed_size ? " only" : "", taps);
  print_out("source   {} sha256 {}\n", escape_name(info.source_name), info.source_sha256);
  print_out("model id {}\n", info.model_id);
  if (!info.licence.empty()) print_out("licence  {}\n", escape_name(info.licence));
}

std::string shape_text(const TapInfo& tap) {
  return tap.rank == 1 ? fmt::format("{}", tap.c) : fmt::format("{}x{}x{}", tap.c, tap.h, tap.w);
}

std::string field_text(const TapInfo& tap) {
  return tap.sees_whole_input ? "all" : fmt::format("{}", tap.receptive_field);
}

std::string aliases_text(const TapInfo& tap) {
  std::string text;
  for (const std::string& alias : tap.aliases) {
    text += (text.empty() ? "  " : ", ") + escape_name(alias);
  }
  return text;
}

template <typename T>
std::string or_dash(const std::optional<T>& value, double unit, int digits) {
  return value ? fmt::format("{:.{}f}", static_cast<double>(*value) / unit, digits) : "-";
}

void print_taps(const std::vector<TapInfo>& taps, const TapCosts& costs, bool verbose) {
  constexpr double kMiB = 1 << 20;
  size_t width = 4;
  for (const TapInfo& tap : taps) width = std::max(width, escape_name(tap.name).size());
  const auto row = [&](const auto&... cells) {
    constexpr const char* kRow =
        "{:{}}  {:15}  {:>12}  {:>6}  {:>6}  {:>7}  {:>8}  {:>9}  {:>8}{}\n";
    print_text(fmt::format(fmt::runtime(kRow), cells...));
  };
  print_text("\n");
  row("", width, "", "", "pooled", "MACs", "weights", "RAM", "receptive", "up to it", "");
  row("name", width, "op", "shape", "dim", "kept %", "kept %", "MiB", "field px", "ms",
      verbose ? "  aliases" : "");
  for (size_t t = 0; t < taps.size(); ++t) {
    const TapInfo& tap = taps[t];
    row(escape_name(tap.name), width, tap.op, shape_text(tap), tap.c,
        fmt::format("{:.2f}", 100 * tap.macs_share), fmt::format("{:.2f}", 100 * tap.weights_share),
        or_dash(costs.ram_bytes[t], kMiB, 2), field_text(tap), or_dash(costs.ms[t], 1, 3),
        verbose ? aliases_text(tap) : "");
  }
}

void print_legend(const Model& model, const TapCosts& costs, const Options& options) {
  print_out(R"(
pooled dim       features of --pool avg; max and gem as many, avg+std twice, 2x2 four times
MACs, weights    share of the whole net's multiply-adds and weights that is needed up to the tap
RAM              of a run that ends at the tap: activations, weights and scratch;
                 one image, one thread, native {}
receptive field  side of the square of input pixels that one value can depend on; padding counts,
                 so it may exceed the input; all: the whole input, behind a global pooling
)",
            costs.isa);
  if (options.no_ms) {
    print_text("ms               not measured (--no-ms)\n");
  } else if (costs.runs > 0) {
    print_out(
        R"(ms               of a run to the last tap, up to and including the step that computes this one;
                 a step may hold several layers; median of {} run{}, here and now
)",
        costs.runs, costs.runs == 1 ? "" : "s");
  }
  for (const std::string& note : costs.notes) print_out("note: {}\n", note);
  print_text("\n");
  for (const TapGroup& group : model.data().groups) {
    print_out("-l {} stands for {} taps, -l all for every one.\n", escape_name(group.name),
              group.taps.size());
  }
  if (!options.verbose) {
    print_text("-v also lists the other names, such as penultimate, and the kernels.\n");
  }
}

// A kernel's rows for several ISA classes decline for one reason: one line, with a star for them.
std::vector<std::string> merged(const std::vector<std::string>& declined) {
  std::vector<std::string> lines, starred;
  for (const std::string& text : declined) {
    const size_t colon = text.find(": ");
    const size_t isa = text.rfind('_', colon);
    const bool has_isa = colon != std::string::npos && isa != std::string::npos;
    const std::string with_star =
        has_isa ? concat(text.substr(0, isa), "_*", text.substr(colon)) : text;
    const auto found = std::find(starred.begin(), starred.end(), with_star);
    if (found == starred.end()) {
      lines.push_back(text);
      starred.push_back(with_star);
    } else {
      lines[static_cast<size_t>(found - starred.begin())] = with_star;
    }
  }
  return lines;
}

void print_steps(const std::vector<StepInfo>& steps) {
  const StepColumns width(steps);
  print_text("\nThe steps of a run to the last tap, and the faster kernels that decline them:\n");
  print_out("{:{}}  {:{}}  {}\n", "step", width.name, "kernel", width.kernel, "declined");
  for (const StepInfo& step : steps) {
    std::vector<std::string> declined = merged(step.declined);
    if (declined.empty()) declined.emplace_back("-");
    for (size_t i = 0; i < declined.size(); ++i) {
      print_out("{:{}}  {:{}}  {}\n", i == 0 ? escape_name(step.name) : "", width.name,
                i == 0 ? step.kernel : "", width.kernel, escape_name(declined[i]));
    }
  }
}

Outcome inspect(const Options& options) {
  // Every weight is verified: inspect is what people run on a file that they do not trust.
  auto model = Model::load(options.model, {.verify_all_weights = true});
  if (!model.ok()) return of_file(model.status());
  PENULT_ASSIGN_OR_RETURN(const std::vector<TapInfo> taps, (*model)->taps());
  PENULT_ASSIGN_OR_RETURN(const TapCosts costs,
                          find_tap_costs(*model, taps, !options.no_ms, options.verbose));
  if (options.json) {
    print_json(**model, taps, costs, options.verbose);
    return {};
  }
  print_model(**model, taps.size());
  print_taps(taps, costs, options.verbose);
  print_legend(**model, costs, options);
  if (options.verbose) print_steps(costs.steps);
  return {};
}

}  // namespace

std::function<Outcome()> declare_inspect(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "model, as written by penult convert")
      ->type_name("FILE")
      ->required();
  app.add_flag("-v,--verbose", options->verbose,
               "also the other names of each tap, and the kernels of each step");
  app.add_flag("--no-ms", options->no_ms,
               "take no times: no second is spent, and the output is the same each time");
  app.add_flag("--json", options->json, "one JSON object instead of a table");
  return [options] { return inspect(*options); };
}

}  // namespace penult::program
