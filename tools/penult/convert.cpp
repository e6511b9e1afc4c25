// penult convert: weight file -> proven .penult file.

#include <charconv>
#include <filesystem>

#include "converters/importer.h"
#include "engine/base/check.h"
#include "engine/base/text.h"
#include "engine/model/writer.h"
#include "tools/penult/command.h"
#include "tools/penult/proof.h"
#include "tools/penult/signals.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

struct Options {
  std::string source, out, input_size;
  converters::ImportOptions import;
  bool force = false;
};

Status parse_input_size(const std::string& text, converters::ImportOptions& import) {
  if (text.empty()) return {};
  const char* const end = text.data() + text.size();
  const auto [x, bad_h] = std::from_chars(text.data(), end, import.input_h);
  if (bad_h == std::errc() && x != end && *x == 'x') {
    const auto [rest, bad_w] = std::from_chars(x + 1, end, import.input_w);
    constexpr int64_t kMaxSide = 16384;  // that of the model file
    const auto fits = [](int64_t side) { return side >= 1 && side <= kMaxSide; };
    if (bad_w == std::errc() && rest == end && fits(import.input_h) && fits(import.input_w)) {
      return {};
    }
  }
  return {StatusCode::kInvalidArgument, concat("--input-size is ", quote(text),
                                               ", expected HxW, each 1 to 16384, such as 224x224")};
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

Status check_weights_name(const std::string& name) {
  if (name.size() <= 1024 && is_valid_utf8(name)) return {};
  return {StatusCode::kInvalidArgument, concat("--weights-name is ", quote(name),
                                               ", expected at most 1024 bytes of valid UTF-8")};
}

Outcome convert(Options options) {
  PENULT_RETURN_IF_ERROR(parse_input_size(options.input_size, options.import));
  PENULT_RETURN_IF_ERROR(check_architecture(options.import.arch));
  PENULT_RETURN_IF_ERROR(check_weights_name(options.import.weights_name));
  if (options.out.empty()) {
    options.out = std::filesystem::path(options.source).replace_extension(".penult").string();
  }
  PENULT_RETURN_IF_ERROR(check_output(options.out, options.force));
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
  if (Status written = write_model(*imported, options.out, existing(options.force));
      !written.ok()) {
    return of_file(std::move(written));
  }
  print_out("{}: {} from {} ({})\n", escape_name(options.out), model->architecture(),
            escape_name(imported->info.source_name), escape_name(model->weights_name()));
  if (!imported->info.note.empty()) print_out("note: {}\n", imported->info.note);
  print_out("model id {}\n", imported->info.model_id);
  print_out(
      "proof: kernels against reference at 64 x 64, {} taps compared: cosine >= 1 - {:.1e}, "
      "max error {:.1e} of the tap's maximum ({})\n",
      proof.taps, std::max(0.0, 1 - proof.cosine), proof.error, escape_name(proof.worst_tap));
  return {};
}

}  // namespace

std::function<Outcome()> declare_convert(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("SRC", options->source, "PyTorch state dict (.pt, .pth), legacy or zip")
      ->type_name("FILE")
      ->required();
  app.add_option("-o,--output", options->out, "model to write [SRC, but ending in .penult]")
      ->type_name("FILE");
  app.add_option("--arch", options->import.arch,
                 "name of the architecture [recognised from names and shapes]")
      ->type_name("NAME");
  app.add_option("--input-size", options->input_size,
                 "size of the crop that the net sees, in pixels [as trained, 224x224]")
      ->type_name("HxW");
  app.add_option("--weights-name", options->import.weights_name,
                 "what to call this set of weights [a known name, or that of SRC]")
      ->type_name("TEXT");
  app.add_flag("--force", options->force, "replace an existing model");
  return [options] { return convert(*options); };
}

}  // namespace penult::program
