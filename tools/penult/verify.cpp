// penult verify: a model against values that another framework computed with the same weights.

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/image/image.h"
#include "penult/extractor.h"
#include "tools/golden/golden.h"
#include "tools/penult/choice.h"
#include "tools/penult/command.h"
#include "tools/penult/signals.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

struct Options {
  std::string model, against, backend = "native", device = "cpu", precision = "f32";
  bool quiet = false;
};

std::vector<float> input_of(const golden::Golden& golden, const Preprocess& preprocess) {
  if (!golden.input.empty()) return golden.input;
  const Image crop{.h = golden.size, .w = golden.size, .rgb = golden.pixels};
  std::vector<float> input(golden.pixels.size());
  normalize_to_chw(crop, preprocess, input);
  return input;
}

// The tap in a run of its own, so that everything before it is as fused as it gets.
Result<golden::Agreement> verify_tap(const Options& options,
                                     const std::shared_ptr<const Model>& model,
                                     const golden::GoldenTap& want, std::span<const float> input,
                                     int64_t size) {
  ExtractorOptions run;
  run.taps = {want.name};
  run.pooling = Pooling::kNone;
  run.max_batch = 1;
  run.backend = options.backend;
  run.device = options.device;
  run.precision = options.precision;
  run.input_h = run.input_w = size;
  PENULT_ASSIGN_OR_RETURN(const auto extractor, Extractor::create(model, run));
  const OutputInfo& output = extractor->outputs()[0];
  std::vector<float> got(static_cast<size_t>(output.elems));
  const std::span<float> features[] = {got};
  PENULT_RETURN_IF_ERROR(extractor->run(input, 1, features));
  return golden::compare(want, got, output.dims[0]);
}

Status disagrees(const std::string& what) { return {StatusCode::kModelInvalid, what}; }

Outcome verify(const Options& options) {
  auto loaded = Model::load(options.model);
  if (!loaded.ok()) return of_file(loaded.status());
  auto golden = golden::read_golden(options.against);
  if (!golden.ok()) return of_file(golden.status());
  if (golden->taps.empty()) {
    return {kExitFailures, disagrees(concat(quote(options.against), " holds no tap"))};
  }
  const std::vector<float> input = input_of(*golden, (*loaded)->preprocess());
  golden::Worst worst;
  size_t beyond = 0, width = 3;
  for (const golden::GoldenTap& tap : golden->taps) {
    const auto names = (*loaded)->resolve(tap.name);
    if (!names.ok() || names->size() != 1) {
      return {kExitFailures, disagrees(concat("tap ", quote(tap.name), " of ",
                                              quote(options.against), " is none of the model's"))};
    }
    width = std::max(width, escape_name(tap.name).size());
  }
  for (const golden::GoldenTap& tap : golden->taps) {
    PENULT_RETURN_IF_ERROR(check_signals());
    const auto agreement = verify_tap(options, *loaded, tap, input, golden->size);
    // A tap of another shape is a disagreement; everything else is a failure of its own.
    if (agreement.status().code() == StatusCode::kFormatCorrupt) {
      return {kExitFailures, disagrees(agreement.status().message())};
    }
    if (!agreement.ok()) return agreement.status();
    worst.add(escape_name(tap.name), *agreement);
    const bool within = options.precision == "f16" ? agreement->within_f16_tolerance()
                                                   : agreement->within_tolerance();
    beyond += !within;
    if (options.quiet) continue;
    print_out("{:{}}  {}  {}\n", escape_name(tap.name), width, agreement->to_string(),
              within ? "ok" : "BEYOND");
  }
  print_out("{} taps, {} beyond the tolerance; {}\n", golden->taps.size(), beyond,
            worst.to_string());
  if (beyond == 0) return {};
  return {kExitFailures, disagrees(concat(beyond, " of ", golden->taps.size(),
                                          " taps are beyond the tolerance: ", worst.to_string()))};
}

}  // namespace

std::function<Outcome()> declare_verify(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "model, as written by penult convert")
      ->type_name("FILE")
      ->required();
  app.add_option("--against", options->against,
                 "GOLDEN.npz: an input, and what it gives at some taps (docs/numerics.md)")
      ->type_name("FILE")
      ->required();
  app.add_option("--backend", options->backend, "native, onednn, cudnn or reference [native]")
      ->type_name("native|onednn|cudnn|reference");
  add_device(app, options->device);
  add_precision(app, options->precision);
  app.add_flag("--quiet", options->quiet, "only the summary");
  return [options] { return verify(*options); };
}

}  // namespace penult::program
