// penult extract: images -> features. Every input taken ends in exactly one of ok | failed(reason).

#include <fmt/format.h>

#include <algorithm>
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
#include "tools/penult/streams.h"

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

std::string errors_beside(const std::string& out) { return out + ".errors.csv"; }

Status check_out(const Options& options) {
  const std::string& out = options.out;
  const bool npy = out.ends_with(".npy");
  if (!npy && !out.ends_with(".npz")) {
    return {StatusCode::kInvalidArgument,
            concat("cannot tell the format of ", quote(out), ", expected a name in .npz or .npy")};
  }
  PENULT_RETURN_IF_ERROR(check_output(out, options.force));
  PENULT_RETURN_IF_ERROR(check_output(errors_beside(out), options.force));
  return npy ? check_output(json_beside(out), options.force) : Status();
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

Status write_features(const Features& features, const std::string& out) {
  return out.ends_with(".npy") ? write_npy(features, out) : write_npz(features, out);
}

// Features and failures: neither replaces anything before both are complete on the disk.
Status write_all(const Run& run) {
  const std::string& out = run.options.out;
  const std::string errors = errors_beside(out);
  if (!run.failures.empty()) {
    PENULT_ASSIGN_OR_RETURN(AtomicFile staged, stage_errors_csv(run.failures, errors));
    PENULT_RETURN_IF_ERROR(write_features(run.features, out));
    return staged.commit();
  }
  PENULT_RETURN_IF_ERROR(write_features(run.features, out));
  std::error_code ignored;  // failures of an earlier run would contradict the new features
  std::filesystem::remove(errors, ignored);
  return {};
}

Outcome summarize(const Run& run, const Inputs& inputs) {
  const Options& options = run.options;
  const size_t total = inputs.taken.size(), failed = run.failures.size();
  if (!options.quiet) {
    for (size_t i = 0; i < run.features.tables.size(); ++i) {
      print_out("{}: {} {} x {}\n", escape_name(options.out),
                escape_name(run.features.tables[i].key), total - failed,
                fmt::join(run.features.tables[i].dims, " x "));
    }
    if (!inputs.not_taken.empty()) {
      print_out("{} other files in the folders are not taken:\n", inputs.not_taken.size());
      for (const std::string& line : inputs.not_taken) print_out("  {}\n", escape_name(line));
    }
  }
  if (failed == 0) return {};
  const FailedInput& first = run.failures.front();
  const std::string message =
      concat(failed, " of ", total, " inputs failed, listed in ", quote(errors_beside(options.out)),
             "; the first: ", first.reason);
  const double rate = static_cast<double>(failed) / static_cast<double>(total);
  if (rate > options.max_failure_rate) return {kExitFailures, Status(first.code, message)};
  if (!options.quiet) print_out("{}\n", message);
  return {};
}

Outcome no_input(const Inputs& inputs) {
  std::string message =
      "no input: the folders and lists given name no images (.jpg .jpeg .png .bmp .webp .ppm)";
  if (!inputs.not_taken.empty()) {
    message +=
        concat("; ", inputs.not_taken.size(),
               " other files are not taken, the first: ", escape_name(inputs.not_taken.front()));
  }
  return {kExitRefused, Status(StatusCode::kInvalidArgument, message)};
}

// What is wrong with the names of taps, before a long list of inputs is read.
Status check_taps(const Model& model, const Options& options) {
  size_t count = 0;
  for (const std::string& tap : options.taps) {
    PENULT_ASSIGN_OR_RETURN(const std::vector<std::string> names, model.resolve(tap));
    count += names.size();
  }
  if (count == 1 || !options.out.ends_with(".npy")) return {};
  return {StatusCode::kInvalidArgument,
          concat("an .npy file holds one tap, asked for are ", count, "; use .npz for several")};
}

ExtractorOptions extractor_options(const Options& options, Pooling pooling,
                                   const Preprocess& preprocess) {
  ExtractorOptions wanted;
  wanted.taps = options.taps;
  wanted.pooling = pooling;
  wanted.max_batch = options.batch;
  wanted.threads = options.threads == 0 ? usable_cpus() : options.threads;
  wanted.backend = options.backend;
  wanted.input_h = preprocess.crop_h;
  wanted.input_w = preprocess.crop_w;
  return wanted;
}

Outcome extract(Options options) {
  PENULT_RETURN_IF_ERROR(check_options(options));
  PENULT_ASSIGN_OR_RETURN(const Pooling pooling, pooling_from_name(options.pool));
  auto loaded = Model::load(options.model);
  if (!loaded.ok()) return of_file(loaded.status());
  const std::shared_ptr<const Model> model = *loaded;
  PENULT_RETURN_IF_ERROR(check_taps(*model, options));
  auto collected = collect_inputs(options.inputs);
  PENULT_RETURN_IF_ERROR(check_signals());  // they also end the reading of a list early
  if (!collected.ok()) return of_file(collected.status());
  const Inputs& inputs = *collected;
  if (inputs.taken.empty()) return no_input(inputs);

  // The batch decides the memory and not the bits: no larger than there are images.
  options.batch = std::min(options.batch, static_cast<int64_t>(inputs.taken.size()));
  const ExtractorOptions wanted = extractor_options(options, pooling, model->preprocess());
  PENULT_ASSIGN_OR_RETURN(const auto extractor, Extractor::create(model, wanted));
  Run run{.extractor = *extractor, .preprocess = model->preprocess(), .options = options};
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
  if (Status written = write_all(run); !written.ok()) return of_file(std::move(written));
  return summarize(run, inputs);
}

void declare_files(CLI::App& app, Options& options) {
  app.add_option("INPUT", options.inputs,
                 "image files; folders, recursively (the first folder below INPUT is the\n"
                 "label); @list.txt, one path a line; - for such a list on stdin")
      ->type_name("")
      ->required();
  app.add_option("-m,--model", options.model, "model, as written by penult convert")
      ->type_name("FILE")
      ->required();
  app.add_option("-o,--output", options.out,
                 "X.npz (an array for each tap, paths, labels, provenance), or\n"
                 "X.npy (one tap) and X.json beside it")
      ->type_name("FILE")
      ->required();
}

}  // namespace

std::function<Outcome()> declare_extract(CLI::App& app) {
  auto options = std::make_shared<Options>();
  declare_files(app, *options);
  app.add_option("-l,--layer", options->taps,
                 "tap to take features at, repeatable; penult inspect lists them;\n"
                 "blocks and all stand for several [penultimate]")
      ->type_name("TAP")
      ->allow_extra_args(false);
  app.add_option("--pool", options->pool,
                 "how a map becomes a vector: avg, max, flatten; none keeps the map [avg]")
      ->type_name("POOL");
  app.add_option("-b,--batch", options->batch, "images in one run of the net [8]")
      ->check(CLI::Range(1, 65536).description(""))
      ->type_name("N");
  app.add_option("-j,--threads", options->threads, "threads [all that the process may use]")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N");
  app.add_option("--backend", options->backend,
                 "auto (which is native), native, onednn if it is installed, or reference\n"
                 "(slow: the oracle) [auto]")
      ->type_name("NAME");
  app.add_option("--on-error", options->on_error,
                 "at an image that cannot be read: skip (go on, list it in\n"
                 "OUT.errors.csv), or fail (stop, write nothing) [skip]")
      ->check(CLI::IsMember({"skip", "fail"}).description(""))
      ->type_name("WHAT");
  app.add_option("--max-failure-rate", options->max_failure_rate,
                 "share of failed images, 0 to 1, that still exits 0 [0]")
      ->type_name("SHARE");
  app.add_option("--exif", options->exif,
                 "the orientation noted by the camera: apply, or ignore as Pillow and\n"
                 "torchvision do [apply]")
      ->check(CLI::IsMember({"apply", "ignore"}).description(""))
      ->type_name("WHAT");
  app.add_flag("--force", options->force, "replace existing output");
  app.add_flag("--quiet", options->quiet, "print nothing but errors");
  return [options] { return extract(*options); };
}

}  // namespace penult::program
