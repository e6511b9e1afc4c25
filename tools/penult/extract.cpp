// penult extract: images -> features. Every input taken ends in exactly one of ok | failed(reason).

#include <fmt/format.h>

#include <filesystem>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/text.h"
#include "engine/image/image.h"
#include "engine/output/feature_writer.h"
#include "tools/penult/command.h"
#include "tools/penult/progress.h"
#include "tools/penult/provenance.h"
#include "tools/penult/signals.h"

namespace penult::program {
namespace {

struct Options {
  std::vector<std::string> inputs, taps = {"penultimate"};
  std::string model, out, pool = "avg", backend = "auto", on_error = "skip", exif = "apply";
  int64_t batch = 8;
  int threads = 0;  // 0: all that the process may use
  double max_failure_rate = 0;
  bool force = false, quiet = false;
};

// The rows so far, and the batch that fills up.
struct Run {
  Extractor& extractor;
  const Preprocess& preprocess;
  const Options& options;
  Features features = {};
  std::vector<FailedInput> failures = {};
  std::vector<float> batch = {};
  int64_t waiting = 0;  // images in `batch`

  int64_t image_elems() const { return 3 * extractor.input_h() * extractor.input_w(); }
};

Status check_out(const Options& options) {
  const std::string& out = options.out;
  PENULT_RETURN_IF_ERROR(check_replaceable(out, options.force));
  PENULT_RETURN_IF_ERROR(check_replaceable(out + ".errors.csv", options.force));
  if (out.ends_with(".npz")) return {};
  if (out.ends_with(".npy")) return check_replaceable(json_beside(out), options.force);
  return {StatusCode::kInvalidArgument,
          concat("cannot tell the format of ", quote(out), ", expected a name in .npz or .npy")};
}

Status check_options(const Options& options) {
  PENULT_RETURN_IF_ERROR(check_out(options));
  if (!(options.max_failure_rate >= 0 && options.max_failure_rate <= 1)) {
    return {StatusCode::kInvalidArgument, concat("--max-failure-rate is ", options.max_failure_rate,
                                                 ", expected a share from 0 to 1")};
  }
  return {};
}

Status run_batch(Run& run) {
  if (run.waiting == 0) return {};
  const std::vector<OutputInfo>& outputs = run.extractor.outputs();
  std::vector<std::span<float>> places;
  for (size_t i = 0; i < outputs.size(); ++i) {
    std::vector<float>& values = run.features.tables[i].values;
    const size_t added = run.waiting * outputs[i].elems;
    values.resize(values.size() + added);
    places.push_back(std::span(values).last(added));
  }
  const std::span images = std::span(run.batch).first(run.waiting * run.image_elems());
  PENULT_RETURN_IF_ERROR(run.extractor.run(images, run.waiting, places));
  run.waiting = 0;
  return {};
}

Status read_image(Run& run, const std::string& path) {
  const DecodeOptions decode{.apply_exif = run.options.exif == "apply"};
  PENULT_ASSIGN_OR_RETURN(const Image image, load_image(path, decode));
  PENULT_ASSIGN_OR_RETURN(const Image crop, resize_and_crop(image, run.preprocess));
  const std::span slots(run.batch);
  normalize_to_chw(crop, run.preprocess,
                   slots.subspan(run.waiting * run.image_elems(), run.image_elems()));
  return {};
}

// Ok if the row was added or the failure noted; an error stops the whole run.
Outcome take(Run& run, const Taken& input) {
  const Status status = read_image(run, input.path);
  if (!status.ok()) {
    if (status.code() == StatusCode::kOutOfMemory) return status;
    if (run.options.on_error == "fail") return {kExitFailures, status};
    run.failures.push_back({input.path, status.code(), status.message()});
    return {};
  }
  run.features.paths.push_back(input.path);
  run.features.labels.push_back(input.label);
  return ++run.waiting == run.options.batch ? Outcome(run_batch(run)) : Outcome();
}

Status write_features(const Run& run) {
  const std::string& out = run.options.out;
  const std::string errors = out + ".errors.csv";
  if (!run.failures.empty()) {
    PENULT_RETURN_IF_ERROR(write_errors_csv(run.failures, errors));
  } else {
    std::error_code ignored;  // failures of an earlier run would contradict the new features
    std::filesystem::remove(errors, ignored);
  }
  return out.ends_with(".npy") ? write_npy(run.features, out) : write_npz(run.features, out);
}

Outcome summarize(const Run& run, const Inputs& inputs) {
  const Options& options = run.options;
  const size_t total = inputs.taken.size(), failed = run.failures.size();
  if (!options.quiet) {
    for (size_t i = 0; i < run.features.tables.size(); ++i) {
      fmt::print("{}: {} {} x {}\n", escape_name(options.out),
                 escape_name(run.features.tables[i].key), total - failed,
                 fmt::join(run.features.tables[i].dims, " x "));
    }
    if (!inputs.not_taken.empty()) {
      fmt::print("{} other files in the folders are not taken:\n", inputs.not_taken.size());
      for (const std::string& line : inputs.not_taken) fmt::print("  {}\n", escape_name(line));
    }
  }
  const double rate = static_cast<double>(failed) / static_cast<double>(total);
  if (rate <= options.max_failure_rate) return {};
  const FailedInput& first = run.failures.front();
  return {kExitFailures,
          Status(first.code,
                 concat(failed, " of ", total, " inputs failed, listed in ",
                        quote(options.out + ".errors.csv"), "; the first: ", first.reason))};
}

Outcome extract(Options options) {
  PENULT_RETURN_IF_ERROR(check_options(options));
  PENULT_ASSIGN_OR_RETURN(const Pooling pooling, pooling_from_name(options.pool));
  auto loaded = Model::load(options.model);
  if (!loaded.ok()) return of_file(loaded.status());
  const std::shared_ptr<const Model> model = *loaded;
  const Preprocess& preprocess = model->preprocess();
  ExtractorOptions wanted;
  wanted.taps = options.taps;
  wanted.pooling = pooling;
  wanted.max_batch = options.batch;
  wanted.threads = options.threads == 0 ? usable_cpus() : options.threads;
  wanted.backend = options.backend;
  wanted.input_h = preprocess.crop_h;
  wanted.input_w = preprocess.crop_w;
  PENULT_ASSIGN_OR_RETURN(const auto extractor, Extractor::create(model, wanted));
  if (options.out.ends_with(".npy") && extractor->outputs().size() != 1) {
    return Status(StatusCode::kInvalidArgument, "an .npy file holds one tap; use .npz for several");
  }
  auto collected = collect_inputs(options.inputs);
  if (!collected.ok()) return of_file(collected.status());
  const Inputs& inputs = *collected;
  if (inputs.taken.empty()) {
    return {kExitRefused, Status(StatusCode::kInvalidArgument,
                                 "no input: the folders and lists given hold no images")};
  }

  Run run{.extractor = *extractor, .preprocess = preprocess, .options = options};
  run.batch.resize(options.batch * run.image_elems());
  for (const OutputInfo& output : extractor->outputs()) {
    run.features.tables.push_back({.key = output.key, .dims = output.dims, .values = {}});
  }
  {
    Progress progress(inputs.taken.size(), options.quiet);
    for (size_t i = 0; i < inputs.taken.size(); ++i) {
      PENULT_RETURN_IF_ERROR(check_signals());
      if (Outcome outcome = take(run, inputs.taken[i]); outcome.exit != kExitOk) return outcome;
      progress.update(i + 1, run.failures.size());
    }
  }
  PENULT_RETURN_IF_ERROR(run_batch(run));
  PENULT_RETURN_IF_ERROR(check_signals());
  run.features.provenance =
      provenance_json(*model, *extractor, pooling, options.exif == "apply", inputs.taken);
  if (Status written = write_features(run); !written.ok()) return of_file(std::move(written));
  return summarize(run, inputs);
}

}  // namespace

std::function<Outcome()> declare_extract(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("INPUT", options->inputs,
                 "image files, folders (recursive), @list.txt, or - for paths on stdin")
      ->required();
  app.add_option("-m,--model", options->model, ".penult file")->required();
  app.add_option("-o,--output", options->out, "X.npz, or X.npy (one tap) + X.json")->required();
  app.add_option("-l,--layer", options->taps, "tap to stop at, repeatable [penultimate]")
      ->allow_extra_args(false);
  app.add_option("--pool", options->pool, "avg, max, flatten or none [avg]");
  app.add_option("-b,--batch", options->batch, "images a run [8]");
  app.add_option("-j,--threads", options->threads, "threads [all that the process may use]")
      ->check(CLI::Range(1, 1024));
  app.add_option("--backend", options->backend, "auto, native or reference [auto]");
  app.add_option("--on-error", options->on_error, "skip or fail [skip]")
      ->check(CLI::IsMember({"skip", "fail"}));
  app.add_option("--max-failure-rate", options->max_failure_rate,
                 "share of failures that still exits 0 [0]");
  app.add_option("--exif", options->exif, "apply or ignore the orientation [apply]")
      ->check(CLI::IsMember({"apply", "ignore"}));
  app.add_flag("--force", options->force, "replace existing output");
  app.add_flag("--quiet", options->quiet, "print nothing but errors");
  return [options] { return extract(*options); };
}

}  // namespace penult::program
