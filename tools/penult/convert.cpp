// penult convert: weight file -> proven .penult file.

#include "tools/penult/convert.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <vector>

#include "converters/importer.h"
#include "converters/presets.h"
#include "engine/base/check.h"
#include "engine/base/text.h"
#include "tools/penult/choice.h"
#include "tools/penult/command.h"
#include "tools/penult/moved.h"
#include "tools/penult/proof.h"
#include "tools/penult/signals.h"
#include "tools/penult/streams.h"

namespace penult::program {
namespace {

struct Options : Conversion {
  std::string input_size;
  std::optional<std::string> preprocess;
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

// The names of all presets; `between` stands between lines for --help.
std::string list_presets(const std::string& between) {
  constexpr size_t kColumns = 70;
  std::string lines, line;
  for (const converters::Preset& preset : converters::all_presets()) {
    const std::string name = preset.name;
    if (!line.empty() && line.size() + name.size() + 2 > kColumns) {
      lines += line + between;
      line.clear();
    }
    line += line.empty() ? name : ", " + name;
  }
  return lines + line;
}

constexpr uint64_t kMaxPreprocessBytes = 64 << 10;

// --preprocess: the name of a preset, or of a file.
Outcome read_preprocess(const std::string& text, std::optional<Preprocess>& preprocess) {
  if (text.empty()) {
    return Status(StatusCode::kNotFound,
                  concat("--preprocess: got an empty text, expected a JSON file or one of: ",
                         list_presets(", ")));
  }
  if (const converters::Preset* preset = converters::find_preset(std::string_view(text))) {
    preprocess = preset->preprocess;
    return {};
  }
  std::error_code ignored;
  if (!text.ends_with(".json") && !std::filesystem::exists(text, ignored)) {
    const std::string near = converters::presets_near(text);
    return Status(StatusCode::kNotFound,
                  concat("--preprocess: there is no preset ", quote(text), " and no such file; ",
                         near.empty() ? "" : concat("the nearest presets are ", near, "; "),
                         "`penult convert --help` lists all"));
  }
  auto bytes = read_file(text, kMaxPreprocessBytes);
  if (!bytes.ok()) return of_file(bytes.status());
  auto parsed =
      converters::parse_preprocess({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  if (!parsed.ok()) {
    return Status(parsed.status().code(),
                  concat("--preprocess ", quote(text), ": ", parsed.status().message()));
  }
  preprocess = *parsed;
  return {};
}

void print_choices(const converters::ImportReport& report, const Preprocess& preprocess) {
  if (!report.format.empty()) print_out("read as: {}\n", report.format);
  for (const std::string& note : report.notes) print_out("note: {}\n", note);
  const converters::Preset* preset = converters::find_preset(preprocess);
  const bool chosen = report.preprocess_by == "--preprocess";
  print_out("preprocessing: {} (by {}{})\n",
            preset != nullptr ? preset->name : converters::describe(preprocess),
            report.preprocess_by, chosen ? "" : "; --preprocess overrides");
}

void print_amplified(const std::vector<Amplified>& taps, const Model& model) {
  const auto most =
      std::max_element(taps.begin(), taps.end(),
                       [](const Amplified& a, const Amplified& b) { return a.error < b.error; });
  const auto penultimate = model.resolve("penultimate");
  const bool is_among_them =
      penultimate.ok() && std::any_of(taps.begin(), taps.end(), [&](const Amplified& amplified) {
        return amplified.tap == penultimate->front();
      });
  print_out(
      "note: at {} other taps{} the weights amplify roundings, most at {}: kernels and reference "
      "are {:.1e} of the maximum apart, but weights and input moved by {:.1e} of themselves move "
      "it "
      "by {:.1e}: float32 gives no more digits there (docs/numerics.md)\n",
      taps.size(), is_among_them ? ", `penultimate` among them," : "", escape_name(most->tap),
      most->error, kMove, most->moved);
}

void print_proof(const Proof& proof, const Model& model) {
  const size_t amplified = proof.amplified.size();
  print_out("proof: kernels against reference at {} x {}, {} taps compared", proof.side.h,
            proof.side.w, static_cast<size_t>(proof.taps) - amplified);
  if (!proof.worst_tap.empty()) {
    print_out(": cosine >= 1 - {:.1e}, max error {:.1e} of the tap's maximum ({})",
              std::max(0.0, 1 - proof.worst.cosine), proof.worst.error,
              escape_name(proof.worst_tap));
  }
  print_out("\n");
  if (amplified != 0) print_amplified(proof.amplified, model);
}

// Of a file's own network it is found by a rule, which may not be what the user means by it.
void print_penultimate(const Model& model) {
  const auto names = model.resolve("penultimate");
  const auto taps = model.taps();
  if (!names.ok() || !taps.ok()) return;  // a network without its end
  for (const TapInfo& tap : *taps) {
    if (tap.name != names->front()) continue;
    print_out("penultimate: {}, {}\n", quote(tap.name),
              tap.rank == 1 ? concat(tap.c, " numbers")
                            : concat("a map of ", tap.c, " x ", tap.h, " x ", tap.w));
  }
}

Outcome convert(Options options) {
  PENULT_RETURN_IF_ERROR(parse_input_size(options.input_size, options.import));
  PENULT_RETURN_IF_ERROR(check_architecture(options.import.arch));
  PENULT_RETURN_IF_ERROR(check_weights_name(options.import.weights_name));
  if (options.preprocess) {
    Outcome read = read_preprocess(*options.preprocess, options.import.preprocess);
    if (!read.status.ok()) return read;
  }
  if (options.out.empty()) {
    options.out = std::filesystem::path(options.source).replace_extension(".penult").string();
  }
  PENULT_RETURN_IF_ERROR(check_output(options.out, options.force));
  std::error_code ignored;
  if (std::filesystem::equivalent(options.source, options.out, ignored)) {
    return Status(StatusCode::kInvalidArgument, "the output would replace the source; give -o");
  }
  return convert_file(options);
}

}  // namespace

Outcome convert_file(const Conversion& options) {
  converters::ImportReport report;
  auto imported = converters::import_file(options.source, options.import, &report);
  if (!imported.ok()) return of_file(imported.status());
  PENULT_RETURN_IF_ERROR(check_signals());
  auto proven = write_proven(std::move(*imported), options.out, existing(options.force));
  if (!proven.ok()) return of_file(proven.status());
  if (Status written = proven->file.commit(); !written.ok()) return of_file(std::move(written));
  const ModelInfo& info = proven->model->data().info;
  print_out("{}: {} from {} ({})\n", escape_name(options.out), info.architecture,
            escape_name(info.source_name), escape_name(info.weights_name));
  print_choices(report, info.preprocess);
  print_penultimate(*proven->model);
  print_out("model id {}\n", info.model_id);
  print_proof(proven->proof, *proven->model);
  return {};
}

std::function<Outcome()> declare_convert(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("SRC", options->source, "PyTorch state dict (.pt, .pth), safetensors, or ONNX")
      ->type_name("FILE")
      ->required();
  const auto add = [&app](const char* name, std::string& value, const std::string& description,
                          const std::string& expected) {
    return not_empty(app.add_option(name, value, description), expected);
  };
  add("-o,--output", options->out, "model to write [SRC, but ending in .penult]", "a file to write")
      ->type_name("FILE");
  add("--arch", options->import.arch,
      "name of the architecture [recognised from names, shapes and layers]",
      "the name of an architecture (docs/networks.md)")
      ->type_name("NAME");
  add("--input-size", options->input_size,
      "size of the crop that the net sees, in pixels [of the preprocessing]",
      "HxW, such as 224x224")
      ->type_name("HxW");
  // A function, since CLI11 takes "" for an optional text that is not there.
  app.add_option_function<std::string>(
         "--preprocess", [options](const std::string& text) { options->preprocess = text; },
         "how to prepare pictures: a JSON file like the object \"preprocess\" of a\n"
         "provenance, or one of\n" +
             list_presets(",\n") +
             "\n[of the file, else of the published weights, else of the architecture]")
      ->type_name("NAME|FILE.json");
  add("--weights-name", options->import.weights_name,
      "what to call this set of weights [a known name, or that of SRC]", "a name")
      ->type_name("TEXT");
  add("--entry", options->import.entry,
      "entry of a checkpoint that holds the tensors\n"
      "[an average over the training, else the model; docs/weights.md]",
      "the name of an entry")
      ->type_name("NAME");
  app.add_flag("--external-data", options->import.external_data,
               "read the weights that an ONNX file keeps in other files beside it");
  app.add_flag("--force", options->force, "replace an existing model");
  return [options] { return convert(*options); };
}

}  // namespace penult::program
