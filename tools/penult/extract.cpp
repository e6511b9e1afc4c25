// penult extract: images -> features. Every input taken ends in exactly one of ok | failed(reason).

#include <fmt/format.h>

#include <filesystem>
#include <optional>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/text.h"
#include "engine/output/normalize.h"
#include "engine/output/output_format.h"
#include "engine/pipeline/pipeline.h"
#include "tools/penult/command.h"
#include "tools/penult/extract_options.h"
#include "tools/penult/inputs.h"
#include "tools/penult/progress.h"
#include "tools/penult/provenance.h"
#include "tools/penult/signals.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

// Takes what the pipeline delivers: the rows so far, and the failures.
class Run : public PipelineClient {
 public:
  Run(const ExtractCliOptions& options, const Inputs& inputs, FeatureWriter& writer)
      : options_(options), inputs_(inputs), writer_(writer) {
    progress_.emplace(inputs.taken.size(), progress_kind(options));
  }

  const std::string& path(size_t input) const override { return inputs_.taken[input].path; }

  Status check() const override { return check_signals(); }

  Status rows(std::span<const size_t> inputs, std::span<const std::span<float>> features,
              const PipelineSeconds& so_far) override {
    paths_.clear();
    labels_.clear();
    for (const size_t input : inputs) {
      paths_.push_back(inputs_.taken[input].path);
      labels_.push_back(inputs_.taken[input].label);
    }
    for (const std::span<float> values : features) {
      if (options_.l2_normalize)
        l2_normalize(values, static_cast<int64_t>(values.size() / inputs.size()));
    }
    const std::vector<std::span<const float>> tables(features.begin(), features.end());
    PENULT_RETURN_IF_ERROR(writer_.append(paths_, labels_, tables));
    counts_.done += inputs.size();
    counts_.seconds = so_far;
    progress_->update(counts_);
    return {};
  }

  Status failed(size_t input, const Status& why) override {
    ++counts_.done, ++counts_.failed;
    failures.push_back({path(input), why.code(), why.message()});
    progress_->update(counts_);
    // The code only ends the pipeline: what is reported is the failure itself.
    if (options_.on_error == "fail") return {StatusCode::kCancelled, "stopped at a failure"};
    return {};
  }

  // The terminal belongs to others again.
  void end_progress() { progress_.reset(); }

  std::vector<FailedInput> failures = {};

 private:
  static ProgressKind progress_kind(const ExtractCliOptions& options) {
    if (options.json_progress) return ProgressKind::kJson;
    return options.quiet ? ProgressKind::kNone : ProgressKind::kTerminal;
  }

  const ExtractCliOptions& options_;
  const Inputs& inputs_;
  FeatureWriter& writer_;
  std::vector<std::string> paths_, labels_;  // of the rows in hand
  RunCounts counts_;
  std::optional<Progress> progress_;
};

// Features and failures: neither replaces anything before both are complete on the disk.
Status finish(FeatureWriter& writer, const std::vector<FailedInput>& failures,
              const std::string& provenance, const ExtractCliOptions& options) {
  const std::string errors = errors_beside(options.out);
  if (!failures.empty()) {
    PENULT_ASSIGN_OR_RETURN(AtomicFile staged,
                            stage_errors_csv(failures, errors, existing(options.force)));
    PENULT_RETURN_IF_ERROR(writer.finish(provenance));
    return staged.commit();
  }
  PENULT_RETURN_IF_ERROR(writer.finish(provenance));
  // Failures of an earlier run would contradict the new features.
  std::error_code ignored;
  if (options.force) std::filesystem::remove(errors, ignored);
  return {};
}

// What summarize() tells of.
struct Done {
  const Inputs& inputs;
  const std::vector<OutputInfo>& outputs;
  const std::vector<FailedInput>& failures;
  const PipelineSeconds& seconds;
  uint64_t overflows;
};

void print_summary(const Done& done, const std::string& out) {
  for (const OutputInfo& output : done.outputs) {
    print_out("{}: {} {} x {}\n", escape_name(out), escape_name(output.key),
              done.inputs.taken.size() - done.failures.size(), fmt::join(output.dims, " x "));
  }
  print_out("time of the threads: {}\n", stage_shares(done.seconds));
  if (done.overflows != 0) {
    print_out("{} values are too large for f16 and are stored as infinity\n", done.overflows);
  }
  if (done.inputs.not_taken.empty()) return;
  print_out("{} other files in the folders are not taken:\n", done.inputs.not_taken.size());
  for (const std::string& line : done.inputs.not_taken) print_out("  {}\n", escape_name(line));
}

Outcome summarize(const Done& done, const ExtractCliOptions& options) {
  const size_t total = done.inputs.taken.size(), failed = done.failures.size();
  if (!options.quiet) print_summary(done, options.out);
  if (failed == 0) return {};
  const FailedInput& first = done.failures.front();
  const std::string message =
      concat(failed, " of ", total, " inputs failed, listed in ", quote(errors_beside(options.out)),
             "; the first: ", first.reason);
  const double rate = static_cast<double>(failed) / static_cast<double>(total);
  if (rate > options.max_failure_rate) return {kExitFailures, Status(first.code, message)};
  if (!options.quiet) print_out("{}\n", message);
  return {};
}

Outcome no_input(const Inputs& inputs) {
  std::string message;
  if (!inputs.missing.empty()) {
    message = concat("no input: there is no ", quote(inputs.missing.front()));
    if (inputs.missing.size() > 1)
      message += concat(" (nor ", inputs.missing.size() - 1, " others)");
  } else {
    message =
        "no input: the folders and lists given name no images (.jpg .jpeg .png .bmp .webp .ppm)";
  }
  if (!inputs.not_taken.empty()) {
    message +=
        concat("; ", inputs.not_taken.size(),
               " other files are not taken, the first: ", escape_name(inputs.not_taken.front()));
  }
  return {kExitRefused, Status(StatusCode::kInvalidArgument, message)};
}

// What is wrong with the names of taps, before a long list of inputs is read.
Status check_taps(const Model& model, const ExtractCliOptions& options) {
  size_t count = 0;
  for (const std::string& tap : options.taps) {
    const auto names = model.resolve(tap);
    if (!names.ok() && !options.taps_given) {
      return {names.status().code(),
              concat(quote(options.model), " has no tap ", quote(tap),
                     ", which is taken where no -l is given: it was cut before it; penult inspect "
                     "lists the taps that it has")};
    }
    PENULT_RETURN_IF_ERROR(names.status());
    count += names->size();
  }
  return check_output_spec(options.out, count, options.element_type());
}

ExtractorOptions extractor_options(const ExtractCliOptions& options, Pooling pooling,
                                   const Preprocess& preprocess, const PipelineShape& shape) {
  ExtractorOptions wanted;
  wanted.taps = options.taps;
  wanted.pooling = pooling;
  // On a device one run has all of it: run_pipeline would plan again.
  wanted.max_batch = options.device == "cpu" ? shape.images_in_run : shape.batch;
  wanted.threads = shape.net_threads;
  wanted.backend = options.backend;
  wanted.device = options.device;
  wanted.precision = options.precision;
  wanted.numerics = options.numerics;
  wanted.input_h = preprocess.crop_h;
  wanted.input_w = preprocess.crop_w;
  return wanted;
}

OutputSpec output_spec(const ExtractCliOptions& options, const Extractor& extractor) {
  OutputSpec spec{.path = options.out,
                  .tables = {},
                  .element_type = options.element_type(),
                  .existing = existing(options.force)};
  for (const OutputInfo& output : extractor.outputs()) {
    spec.tables.push_back({.key = output.key, .dims = output.dims});
  }
  return spec;
}

Outcome of_failure(const FailedInput& failure) {
  return {kExitFailures, Status(failure.code, failure.reason)};
}

Outcome extract(const ExtractCliOptions& options) {
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
  if (inputs.nothing_there()) return no_input(inputs);

  const int threads = options.threads == 0 ? usable_cpus() : options.threads;
  const PipelineShape shape = pipeline_shape(inputs.taken.size(), threads, options.batch);
  const ExtractorOptions wanted = extractor_options(options, pooling, model->preprocess(), shape);
  PENULT_ASSIGN_OR_RETURN(const auto extractor, Extractor::create(model, wanted));
  auto created = create_feature_writer(output_spec(options, *extractor));
  if (!created.ok()) return of_file(created.status());
  FeatureWriter& writer = **created;
  Run run(options, inputs, writer);
  const DecodeOptions decode{.apply_exif = options.exif == "apply"};
  const Result<PipelineSeconds> seconds =
      run_pipeline(inputs.taken.size(), shape, *extractor, model->preprocess(), decode, run);
  run.end_progress();
  PENULT_RETURN_IF_ERROR(check_signals());
  if (options.on_error == "fail" && !run.failures.empty()) return of_failure(run.failures.front());
  if (!seconds.ok()) return of_file(seconds.status());
  const Choices choices{.pooling = pooling,
                        .apply_exif = decode.apply_exif,
                        .l2_normalize = options.l2_normalize,
                        .element_type = options.element_type(),
                        .overflows = writer.overflows()};
  const std::string provenance = provenance_json(*model, *extractor, choices, inputs.taken);
  if (Status written = finish(writer, run.failures, provenance, options); !written.ok()) {
    return of_file(std::move(written));
  }
  return summarize({.inputs = inputs,
                    .outputs = extractor->outputs(),
                    .failures = run.failures,
                    .seconds = *seconds,
                    .overflows = writer.overflows()},
                   options);
}

}  // namespace

std::function<Outcome()> declare_extract(CLI::App& app) {
  auto options = std::make_shared<ExtractCliOptions>();
  declare_options(app, *options);
  return [options, &app] {
    options->taps_given = app.count("--layer") > 0;
    return extract(*options);
  };
}

}  // namespace penult::program
