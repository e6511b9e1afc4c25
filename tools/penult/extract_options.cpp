#include "tools/penult/extract_options.h"

#include <fmt/format.h>

#include <filesystem>

#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/output/output_format.h"
#include "penult/extractor.h"
#include "tools/penult/choice.h"
#include "tools/penult/outcome.h"

namespace penult::program {
namespace {

Status check_out(const ExtractCliOptions& options) {
  PENULT_RETURN_IF_ERROR(check_output_spec(options.out, 1, options.element_type()));
  PENULT_ASSIGN_OR_RETURN(std::vector<std::string> files, output_files(options.out));
  files.push_back(errors_beside(options.out));
  for (const std::string& file : files) {
    PENULT_RETURN_IF_ERROR(check_output(file, options.force));
    std::error_code ignored;
    if (std::filesystem::equivalent(options.model, file, ignored)) {
      return {StatusCode::kInvalidArgument, "the output would replace the model"};
    }
  }
  return {};
}

// "X.npz: ..." for each format that there is.
std::string format_help() {
  std::string text = "the format follows from the name:";
  for (const OutputFormat& format : output_formats()) {
    text += concat("\nX", format.ending, ": ", format.holds);
  }
  return text;
}

void declare_files(CLI::App& app, ExtractCliOptions& options) {
  app.add_option("INPUT", options.inputs,
                 "image files; folders, recursively (the first folder below INPUT is the\n"
                 "label); patterns such as 'photos/*.jpg'; @list.txt, one path a line;\n"
                 "- for such a list on stdin")
      ->type_name("")
      ->required();
  app.add_option("-m,--model", options.model, "model, as written by penult convert")
      ->type_name("FILE")
      ->required();
  app.add_option("-o,--output", options.out, format_help())->type_name("FILE")->required();
}

void declare_features(CLI::App& app, ExtractCliOptions& options) {
  app.option_defaults()->group("Features");
  app.add_option("-l,--layer", options.taps,
                 "tap to take features at, repeatable; penult inspect lists them;\n"
                 "blocks and all stand for several [penultimate]")
      ->type_name("TAP")
      ->allow_extra_args(false);
  app.add_option("--pool", options.pool, "how a map becomes a vector; none keeps it [avg]")
      ->type_name(fmt::format("{}", fmt::join(pooling_names(), "|")));
  app.add_flag("--l2-normalize", options.l2_normalize,
               "divide each row of each tap by its Euclidean norm; with --pool none the\n"
               "row is the whole map");
  add_choice(app, "--dtype", options.dtype, "stored values: f32, or f16 (.npz and .npy) [f32]",
             {"f32", "f16"});
}

void declare_computation(CLI::App& app, ExtractCliOptions& options) {
  app.option_defaults()->group("Computation");
  app.add_option("-b,--batch", options.batch, "images in the net at a time, in all threads [8]")
      ->check(CLI::Range(1, 65536).description(""))
      ->type_name("N");
  app.add_option("-j,--threads", options.threads, "threads [all that the process may use]")
      ->check(CLI::Range(1, 1024).description(""))
      ->type_name("N");
  not_empty(app.add_option("--backend", options.backend,
                           "auto is native; onednn and, on cuda, cudnn if they are installed;\n"
                           "reference is slow: the oracle [auto]"),
            "one of auto, native, onednn, cudnn, reference")
      ->type_name("auto|native|onednn|cudnn|reference");
  add_device(app, options.device);
  add_choice(app, "--numerics", options.numerics,
             "table of how layers are computed, part of the features' bits:\n"
             "throughput, for batches, or latency, for an image at a time [throughput]",
             {"throughput", "latency"});
  add_precision(app, options.precision);
}

void declare_images(CLI::App& app, ExtractCliOptions& options) {
  app.option_defaults()->group("Images");
  add_choice(app, "--exif", options.exif,
             "the orientation noted by the camera: apply, or ignore as Pillow and\n"
             "torchvision do [apply]",
             {"apply", "ignore"});
  add_choice(app, "--on-error", options.on_error,
             "at an image that cannot be read: skip (go on, list it in\n"
             "OUT.errors.csv), or fail (stop, write nothing) [skip]",
             {"skip", "fail"});
  app.add_option("--max-failure-rate", options.max_failure_rate,
                 "share of failed images, 0 to 1, that still exits 0 [0]")
      ->type_name("SHARE");
}

void declare_manners(CLI::App& app, ExtractCliOptions& options) {
  app.option_defaults()->group("Manners");
  app.add_flag("--force", options.force, "replace existing output");
  app.add_flag("--quiet", options.quiet, "print nothing but errors");
  app.add_flag("--json-progress", options.json_progress,
               "progress on stderr as one JSON object a line, about every second");
}

}  // namespace

std::string errors_beside(const std::string& out) { return out + ".errors.csv"; }

void declare_options(CLI::App& app, ExtractCliOptions& options) {
  declare_files(app, options);
  declare_features(app, options);
  declare_images(app, options);
  declare_computation(app, options);
  declare_manners(app, options);
}

Status check_options(const ExtractCliOptions& options) {
  PENULT_RETURN_IF_ERROR(check_out(options));
  if (!(options.max_failure_rate >= 0 && options.max_failure_rate <= 1)) {
    return {StatusCode::kInvalidArgument, concat("--max-failure-rate is ", options.max_failure_rate,
                                                 ", expected a share from 0 to 1")};
  }
  ExtractorOptions wanted;
  wanted.backend = options.backend;
  wanted.device = options.device;
  wanted.precision = options.precision;
  return Extractor::check(wanted);
}

}  // namespace penult::program
