// penult convert: weight file -> proven .penult file.

#include <fmt/format.h>

#include <filesystem>

#include "converters/importer.h"
#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/model/writer.h"
#include "tools/penult/command.h"
#include "tools/penult/proof.h"
#include "tools/penult/signals.h"

namespace penult::program {
namespace {

struct Options {
  std::string source, out, input_size;
  converters::ImportOptions import;
  bool force = false;
};

Status parse_input_size(const std::string& text, converters::ImportOptions& import) {
  if (text.empty()) return {};
  int h = 0, w = 0, used = 0;
  if (std::sscanf(text.c_str(), "%5dx%5d%n", &h, &w, &used) != 2 ||
      static_cast<size_t>(used) != text.size() || h < 1 || w < 1) {
    return {StatusCode::kInvalidArgument,
            concat("--input-size is ", quote(text), ", expected HxW in pixels, such as 224x224")};
  }
  import.input_h = h;
  import.input_w = w;
  return {};
}

Status check_architecture(const std::string& name) {
  if (name.empty()) return {};
  std::string known;
  for (const converters::Architecture& arch : converters::all_architectures()) {
    if (name == arch.name) return {};
    known += (known.empty() ? "" : ", ") + std::string(arch.name);
  }
  return {StatusCode::kNotFound,
          concat("unknown architecture ", quote(name), " for --arch, expected one of: ", known)};
}

Outcome convert(Options options) {
  PENULT_RETURN_IF_ERROR(parse_input_size(options.input_size, options.import));
  PENULT_RETURN_IF_ERROR(check_architecture(options.import.arch));
  if (options.out.empty()) {
    options.out = std::filesystem::path(options.source).replace_extension(".penult").string();
  }
  PENULT_RETURN_IF_ERROR(check_replaceable(options.out, options.force));
  std::error_code ignored;
  if (std::filesystem::equivalent(options.source, options.out, ignored)) {
    return Status(StatusCode::kInvalidArgument, "the output would replace the source; give -o");
  }

  auto imported = converters::import_file(options.source, options.import);
  if (!imported.ok()) return of_file(imported.status());
  PENULT_RETURN_IF_ERROR(check_signals());
  PENULT_ASSIGN_OR_RETURN(auto model, Model::from_data(*imported));
  PENULT_ASSIGN_OR_RETURN(const Proof proof, prove_kernels(model));
  PENULT_RETURN_IF_ERROR(check_signals());
  if (Status written = write_model(*imported, options.out); !written.ok()) {
    return of_file(std::move(written));
  }
  fmt::print("{}: {} from {} ({})\n", escape_name(options.out), model->architecture(),
             escape_name(imported->info.source_name), escape_name(model->weights_name()));
  fmt::print("model id {}\n", imported->info.model_id);
  fmt::print(
      "proof: kernels against reference at 64 x 64, {} taps compared: cosine >= 1 - {:.1e}, "
      "max error {:.1e} of the tap's maximum ({})\n",
      proof.taps, std::max(0.0, 1 - proof.cosine), proof.error, escape_name(proof.worst_tap));
  return {};
}

}  // namespace

std::function<Outcome()> declare_convert(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("SRC", options->source, "PyTorch state dict (.pt, .pth), legacy or zip")
      ->required();
  app.add_option("-o,--output", options->out, "model to write [SRC with .penult]");
  app.add_option("--arch", options->import.arch, "architecture [recognised from names and shapes]");
  app.add_option("--input-size", options->input_size,
                 "default input size HxW [the architecture's]");
  app.add_option("--weights-name", options->import.weights_name, "name of this set of weights");
  app.add_flag("--force", options->force, "replace an existing model");
  return [options] { return convert(*options); };
}

}  // namespace penult::program
