// penult bench: milliseconds a run, preprocessing left out.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "penult/extractor.h"
#include "tools/penult/choice.h"
#include "tools/penult/command.h"
#include "tools/penult/signals.h"
#include "tools/penult/step_columns.h"
#include "tools/penult/streams.h"
#include "tools/penult/timing.h"

namespace penult::program {
namespace {

struct Options {
  std::string model;
  std::vector<std::string> taps = {"penultimate"};
  std::vector<int64_t> batches = {1};
  std::vector<int> threads = {1};
  std::vector<std::string> backends = {"native"};
  std::string numerics = "latency", device = "cpu", precision = "f32";
  double seconds = 2;
  bool steps = false, json = false;
};

struct Timing {
  size_t runs = 0;
  double median = 0, min = 0, mad = 0;  // milliseconds
};

Result<Timing> measure(Extractor& extractor, int64_t batch, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto milliseconds = [](Clock::duration d) {
    return std::chrono::duration<double, std::milli>(d).count();
  };
  const std::vector<float> input = images_to_time(extractor, batch);
  std::vector<float> output(batch * extractor.outputs()[0].elems);
  const std::span<float> features[] = {output};
  std::vector<double> times;
  const auto begin = Clock::now();
  // The first tenth warms caches and clock up, and is not counted.
  while (milliseconds(Clock::now() - begin) < 1100 * seconds || times.size() < 5) {
    PENULT_RETURN_IF_ERROR(check_signals());
    const auto start = Clock::now();
    PENULT_RETURN_IF_ERROR(extractor.run(input, batch, features));
    const auto end = Clock::now();
    if (milliseconds(start - begin) >= 100 * seconds) times.push_back(milliseconds(end - start));
  }
  Timing timing{.runs = times.size(), .median = median_of(times)};
  timing.min = *std::min_element(times.begin(), times.end());
  for (double& time : times) time = std::abs(time - timing.median);
  timing.mad = median_of(times);
  return timing;
}

// What can be wrong with the names of backends and taps, before minutes are spent on the first
// ones.
Status check_names(const Options& options, const std::shared_ptr<const Model>& model) {
  for (const std::string& backend : options.backends) {
    for (const std::string& tap : options.taps) {
      ExtractorOptions run;
      run.taps = {tap};
      run.max_batch = 1;
      run.backend = backend;
      run.device = options.device;
      run.precision = options.precision;
      PENULT_ASSIGN_OR_RETURN(const auto extractor, Extractor::create(model, run));
      if (options.steps && extractor->steps().empty()) {
        return {StatusCode::kInvalidArgument,
                concat("--steps: the backend ", extractor->backend(),
                       " computes node by node, without steps; expected native or onednn")};
      }
      if (extractor->outputs().size() == 1) continue;
      return {StatusCode::kInvalidArgument,
              concat("tap ", quote(tap), " stands for ", extractor->outputs().size(),
                     " taps, which cannot be timed one by one; give -l for each")};
    }
  }
  return {};
}

nlohmann::ordered_json describe(const Model& model, const ExtractorOptions& run,
                                const Extractor& extractor, size_t runs) {
  return {{"model", model.architecture()},    {"tap", run.taps[0]},
          {"batch", run.max_batch},           {"threads", run.threads},
          {"device", extractor.device()},     {"precision", extractor.precision()},
          {"backend", extractor.backend()},   {"isa", extractor.isa()},
          {"numerics", extractor.numerics()}, {"runs", runs}};
}

Outcome bench_steps(const Options& options, const Model& model, const ExtractorOptions& run,
                    Extractor& extractor) {
  PENULT_ASSIGN_OR_RETURN(
      const StepTimes times,
      time_steps(extractor, run.max_batch, {.seconds = options.seconds, .min_runs = 5}));
  const std::vector<StepInfo> steps = extractor.steps();
  const StepColumns width(steps);
  if (!options.json) {
    print_out("{} {}, batch {}, threads {}, {} {}, medians of {} runs\n",
              escape_name(model.architecture()), escape_name(run.taps[0]), run.max_batch,
              run.threads, extractor.backend(), extractor.isa(), times.runs);
    print_out("{:{}}  {:{}}  {:>8}  {:>7}  {:>8}\n", "step", width.name, "kernel", width.kernel,
              "ms", "share %", "so far");
  }
  const double whole = times.cumulative_ms.back();
  for (size_t s = 0; s < steps.size(); ++s) {
    const double ms = times.median_ms[s], so_far = times.cumulative_ms[s];
    if (options.json) {
      nlohmann::ordered_json line = describe(model, run, extractor, times.runs);
      line.update({{"step", steps[s].name},
                   {"kernel", steps[s].kernel},
                   {"macs", steps[s].macs},
                   {"median_ms", ms}});
      line.update({{"share", ms / whole}, {"cumulative_ms", so_far}});
      print_out("{}\n", line.dump());
    } else {
      print_out("{:{}}  {:{}}  {:8.3f}  {:7.2f}  {:8.3f}\n", escape_name(steps[s].name), width.name,
                steps[s].kernel, width.kernel, ms, 100 * ms / whole, so_far);
    }
  }
  return flush_output();
}

Outcome bench_one(const Options& options, const std::shared_ptr<const Model>& model,
                  const ExtractorOptions& run) {
  PENULT_ASSIGN_OR_RETURN(auto extractor, Extractor::create(model, run));
  if (options.steps) return bench_steps(options, *model, run, *extractor);
  PENULT_ASSIGN_OR_RETURN(const Timing t, measure(*extractor, run.max_batch, options.seconds));
  if (options.json) {
    nlohmann::ordered_json line = describe(*model, run, *extractor, t.runs);
    line.update({{"median_ms", t.median}, {"min_ms", t.min}, {"mad_ms", t.mad}});
    print_out("{}\n", line.dump());
  } else {
    print_out(
        "{:24} batch {:3}  threads {:2}  {:9} {:7} median {:8.3f} ms  min {:8.3f}  mad {:6.3f}  "
        "({} runs)\n",
        escape_name(run.taps[0]), run.max_batch, run.threads, extractor->backend(),
        extractor->isa(), t.median, t.min, t.mad, t.runs);
  }
  return flush_output();  // each row when it is there, also into a pipe
}

Outcome bench(Options options) {
  // One thread gives a device its work; more rows would be the same one again.
  if (options.device != "cpu") options.threads = {1};
  if (!(options.seconds > 0 && options.seconds <= 3600)) {
    return Status(StatusCode::kInvalidArgument, "--seconds: expected more than 0, at most 3600");
  }
  auto model = Model::load(options.model);
  if (!model.ok()) return of_file(model.status());
  PENULT_RETURN_IF_ERROR(check_names(options, *model));
  for (const std::string& backend : options.backends) {
    for (const std::string& tap : options.taps) {
      for (const int64_t batch : options.batches) {
        for (const int threads : options.threads) {
          ExtractorOptions run;
          run.taps = {tap};
          run.max_batch = batch;
          run.threads = threads;
          run.backend = backend;
          run.device = options.device;
          run.precision = options.precision;
          run.numerics = options.numerics;
          Outcome outcome = bench_one(options, *model, run);
          if (!outcome.status.ok()) return outcome;
        }
      }
    }
  }
  return {};
}

// A comma list in one argument: what follows it is MODEL, not more of the list.
template <typename T>
CLI::Option* add_list_option(CLI::App& app, const char* name, std::vector<T>& values,
                             const char* description) {
  return app.add_option(name, values, description)->delimiter(',')->allow_extra_args(false);
}

}  // namespace

std::function<Outcome()> declare_bench(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("MODEL", options->model, "model, as written by penult convert")
      ->type_name("FILE")
      ->required();
  app.add_option("-l,--layer", options->taps, "tap to stop at, repeatable [penultimate]")
      ->type_name("TAP")
      ->allow_extra_args(false);
  add_list_option(app, "-b,--batch", options->batches,
                  "images in one run of the net, such as 1,8 [1]")
      ->check(CLI::Range(1, 65536).description(""))
      ->type_name("LIST");
  add_list_option(app, "-j,--threads", options->threads,
                  "threads, such as 1,2; for a device other than cpu it is always 1 [1]")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("LIST");
  add_list_option(app, "--backend", options->backends,
                  "native, onednn, cudnn, reference, or several [native]")
      ->type_name("LIST");
  add_device(app, options->device);
  add_precision(app, options->precision);
  add_choice(app, "--numerics", options->numerics,
             "table of how layers are computed: latency, for an image at a time, or\n"
             "throughput, for batches [latency]",
             {"latency", "throughput"});
  app.add_option("--seconds", options->seconds, "time for each row [2]")->type_name("S");
  app.add_flag("--steps", options->steps,
               "the time of each step of a run, in which several layers may be fused");
  app.add_flag("--json", options->json, "one JSON object a line");
  return [options] { return bench(*options); };
}

}  // namespace penult::program
