// penult verify: a model against values that another framework computed with the same weights, or
// against another file of the network.

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "tools/golden/golden.h"
#include "tools/penult/choice.h"
#include "tools/penult/command.h"
#include "tools/penult/expected.h"
#include "tools/penult/signals.h"
#include "tools/penult/streams.h"
#include "tools/penult/trial.h"

namespace penult::program {
namespace {

using Loaded = std::shared_ptr<const Model>;

struct Options {
  std::string model, against, backend, device = "cpu", precision = "f32";
  converters::ImportOptions import;
  bool quiet = false;
};

Result<Trial> run_taps(const Options& options, const Loaded& model,
                       const std::vector<std::string>& taps, const Expected& expected) {
  PENULT_RETURN_IF_ERROR(check_signals());
  ExtractorOptions run;
  run.taps = taps;
  run.backend = options.backend;
  run.device = options.device;
  run.precision = options.precision;
  return run_trial(model, run, expected.input, expected.side);
}

Outcome disagrees(const std::string& what) {
  return {kExitFailures, Status(StatusCode::kModelInvalid, what)};
}

// Native kernels compute each tap in a run of its own, so that everything before it is as fused as
// it gets; the reference fuses nothing, and one run gives all of a network's.
bool is_one_run(const Options& options, const Expected& expected) {
  return expected.is_of_network() && options.backend == "reference";
}

Outcome compare_taps(const Options& options, const Loaded& model, const Expected& expected) {
  std::vector<std::string> names;
  size_t beyond = 0, width = 3;
  for (const golden::GoldenTap& tap : expected.taps) {
    names.push_back(tap.name);
    width = std::max(width, escape_name(tap.name).size());
  }
  const bool one_run = is_one_run(options, expected);
  golden::Worst worst;
  Trial trial;
  if (one_run) {
    PENULT_ASSIGN_OR_RETURN(trial, run_taps(options, model, names, expected));
  }
  for (size_t i = 0; i < expected.taps.size(); ++i) {
    const golden::GoldenTap& tap = expected.taps[i];
    if (!one_run) {
      PENULT_ASSIGN_OR_RETURN(trial, run_taps(options, model, {tap.name}, expected));
    }
    const size_t at = one_run ? i : 0;
    const auto agreement = golden::compare(tap, trial.values[at], trial.outputs[at].dims[0]);
    if (!agreement.ok()) return disagrees(agreement.status().message());
    worst.add(escape_name(tap.name), *agreement);
    const bool within = options.precision == "f16" ? agreement->within_f16_tolerance()
                                                   : agreement->within_tolerance();
    beyond += !within;
    if (options.quiet) continue;
    print_out("{:{}}  {}  {}\n", escape_name(tap.name), width, agreement->to_string(),
              within ? "ok" : "BEYOND");
  }
  print_out("{} taps, {} beyond the tolerance; {}\n", names.size(), beyond, worst.to_string());
  if (beyond == 0) return {};
  return disagrees(
      concat(beyond, " of ", names.size(), " taps are beyond the tolerance: ", worst.to_string()));
}

Outcome verify(Options options) {
  auto loaded = Model::load(options.model);
  if (!loaded.ok()) return of_file(loaded.status());
  const auto expected = read_expected(options.against, options.import, **loaded);
  if (!expected.ok()) return of_file(expected.status());
  if (expected->taps.empty()) {
    return disagrees(concat(quote(options.against), ": ",
                            expected->is_of_network() ? expected->not_comparable : "holds no tap"));
  }
  for (const golden::GoldenTap& tap : expected->taps) {
    const auto names = (*loaded)->resolve(tap.name);
    if (names.ok() && names->size() == 1) continue;
    return disagrees(
        concat("tap ", quote(tap.name), " of ", quote(options.against), " is none of the model's"));
  }
  const bool is_default = options.device == "cpu" && options.precision == "f32";
  if (options.backend.empty())
    options.backend = expected->is_of_network() && is_default ? "reference" : "native";
  if (expected->is_of_network()) {
    print_out("{}: {}; {} of the model's {} taps by name, at {} x {}, {} against reference\n",
              escape_name(options.against), escape_name(expected->network), expected->taps.size(),
              (*loaded)->data().taps.size(), expected->side.h, expected->side.w, options.backend);
  }
  return compare_taps(options, *loaded, *expected);
}

}  // namespace

std::function<Outcome()> declare_verify(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "model, as written by penult convert")
      ->type_name("FILE")
      ->required();
  not_empty(
      app.add_option("--against", options->against,
                     "GOLDEN.npz: an input, and what it gives at some taps (docs/numerics.md);\n"
                     "or the network again, a weight file or a model: its values at the taps\n"
                     "that have a name in both, by the reference backend"),
      "a golden, a weight file or a model")
      ->type_name("FILE")
      ->required();
  not_empty(app.add_option("--arch", options->import.arch,
                           "architecture of a weight file behind --against [recognised]"),
            "the name of an architecture (docs/networks.md)")
      ->type_name("NAME");
  not_empty(app.add_option("--entry", options->import.entry,
                           "entry of a checkpoint behind --against, as of penult convert"),
            "the name of an entry")
      ->type_name("NAME");
  app.add_flag("--external-data", options->import.external_data,
               "read the weights that this file keeps in others beside it");
  not_empty(app.add_option("--backend", options->backend,
                           "native, onednn, cudnn or reference [native; of a network reference]"),
            "one of native, onednn, cudnn, reference")
      ->type_name("native|onednn|cudnn|reference");
  add_device(app, options->device);
  add_precision(app, options->precision);
  app.add_flag("--quiet", options->quiet, "only the summary");
  return [options] { return verify(*options); };
}

}  // namespace penult::program
