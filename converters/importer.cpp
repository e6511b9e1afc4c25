#include "converters/importer.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <optional>
#include <utility>
#include <vector>

#include "converters/architectures/file_names.h"
#include "converters/architectures/follow.h"
#include "converters/known_weights.h"
#include "converters/onnx/import.h"
#include "converters/onnx/onnx_model.h"
#include "converters/other_files.h"
#include "converters/presets.h"
#include "converters/pytorch/formats.h"
#include "converters/safetensors/formats.h"
#include "engine/base/check.h"
#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "penult/version.h"

namespace penult::converters {
namespace {

template <bool (*kRecognises)(std::span<const uint8_t>)>
bool by_head(std::span<const uint8_t> head, std::string_view) {
  return kRecognises(head);
}

// Only checkpoints hold several networks.
Status check_no_entry(const ReadOptions& options) {
  if (options.entry.empty()) return {};
  return {StatusCode::kInvalidArgument,
          concat("--entry ", quote(options.entry),
                 ": only PyTorch checkpoints have entries, and the file is none; give no --entry")};
}

template <Result<StateDict> (*kRead)(const std::string&, const ReadOptions&)>
Result<Source> checkpoint(const std::string& path, const ReadOptions& options) {
  PENULT_ASSIGN_OR_RETURN(StateDict weights, kRead(path, options));
  return Source(std::move(weights));
}

template <Result<StateDict> (*kRead)(const std::string&)>
Result<Source> tensors(const std::string& path, const ReadOptions& options) {
  PENULT_RETURN_IF_ERROR(check_no_entry(options));
  PENULT_ASSIGN_OR_RETURN(StateDict weights, kRead(path));
  return Source(std::move(weights));
}

template <Result<SourceGraph> (*kRead)(const std::string&, const ReadOptions&)>
Result<Source> network(const std::string& path, const ReadOptions& options) {
  PENULT_RETURN_IF_ERROR(check_no_entry(options));
  PENULT_ASSIGN_OR_RETURN(SourceGraph graph, kRead(path, options));
  return Source(std::move(graph));
}

// One a line, so that a new one is one line more.
// clang-format off
constexpr Format kFormats[] = {
    {"PyTorch state dict (legacy)", by_head<is_pytorch_legacy>, checkpoint<read_pytorch_legacy>},
    {"PyTorch state dict (zip)", by_head<is_pytorch_zip>, checkpoint<read_pytorch_zip>},
    {"safetensors", is_safetensors, tensors<read_safetensors>},
    {"ONNX", onnx::is_onnx, network<onnx::read_onnx>},
};
// clang-format on

// Names of a table's rows, for messages.
template <typename Row>
std::string list_names(std::span<const Row> rows) {
  std::string names;
  for (const Row& row : rows) names += concat(names.empty() ? "" : ", ", row.name);
  return names;
}

Result<Source> read_source(const std::string& path, const ImportOptions& options) {
  PENULT_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  std::vector<uint8_t> begin(std::min<uint64_t>(file.size(), 512));
  PENULT_RETURN_IF_ERROR(file.read_at(0, begin));
  PENULT_RETURN_IF_ERROR(check_not_other(begin, path));
  const auto head = std::span<const uint8_t>(begin).first(std::min<size_t>(begin.size(), 64));
  for (const Format& format : all_formats()) {
    if (!format.recognises(head, path)) continue;
    ReadOptions read = {options.external_data, options.input_h, options.input_w, options.entry};
    if (read.input_h == 0 && options.preprocess) {
      read.input_h = options.preprocess->crop_h;
      read.input_w = options.preprocess->crop_w;
    }
    return format.read(path, read);
  }
  return unknown_file(head, path, list_names(all_formats()));
}

// See import_file. A file without others keeps the hash that everybody else computes of it.
Result<std::string> hash_of_source(const std::string& path, const Source& source) {
  PENULT_ASSIGN_OR_RETURN(std::string digits, sha256_of_file(path));
  const auto* graph = std::get_if<SourceGraph>(&source);
  if (graph == nullptr || graph->data_files.empty()) return digits;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  for (const std::string& name : graph->data_files) {
    PENULT_ASSIGN_OR_RETURN(const std::string more, sha256_of_file((folder / name).string()));
    digits += more;
  }
  Sha256 hash;
  hash.update({reinterpret_cast<const uint8_t*>(digits.data()), digits.size()});
  return hash.hex_digest();
}

// What is decided about one file.
struct Import {
  const ImportOptions& options;
  std::string file;  // without folders
  std::string hint;  // what of its path may name the network
  std::string sha256;
  const KnownWeights* known = nullptr;
  ImportReport report;
};

// An option that had nothing to do: the user may have meant another file.
void note_unused_options(const Source& source, Import& import) {
  const auto* graph = std::get_if<SourceGraph>(&source);
  if (!import.options.external_data || (graph != nullptr && !graph->data_files.empty())) return;
  import.report.notes.emplace_back("--external-data: the file keeps all its weights itself");
}

Result<const Architecture*> architecture_called(const std::string& name) {
  for (const Architecture& architecture : all_architectures()) {
    if (name == architecture.name) return &architecture;
  }
  return Status(StatusCode::kInvalidArgument,
                concat("unknown architecture ", quote(name),
                       ", expected one of: ", list_names(all_architectures())));
}

// For tensors that are those of no known network.
constexpr std::string_view kRoutes =
    "export any other network to ONNX: torch.onnx.export(model, ...); if the tensors of one part "
    "are a known network's, save that part: torch.save(model.PART.state_dict(), \"weights.pt\"); "
    "a head that is not needed can be left out with its tensors";

Result<const Architecture*> choose_architecture(StateDict& weights, const Import& import) {
  const std::string& named = import.known != nullptr && import.options.arch.empty()
                                 ? import.known->arch
                                 : import.options.arch;
  weights.hint = named.empty() ? import.hint : named;
  if (!named.empty()) return architecture_called(named);
  for (const Architecture& architecture : all_architectures()) {
    if (!architecture.recognises(weights)) continue;
    const std::string other = other_network(import.hint, architecture.name);
    if (!other.empty()) return Status(StatusCode::kFormatUnsupported, other);
    return &architecture;
  }
  std::string first;
  if (!weights.tensors.empty()) {
    const NamedTensor& tensor = weights.tensors.front();
    first = concat(" (the first is ", quote(tensor.name), " ", tensor.dims, ")");
  }
  return Status(StatusCode::kFormatUnsupported,
                concat("names and shapes of the tensors fit no known architecture", first,
                       "; --arch NAME says what does not fit it, and lists the names; ", kRoutes));
}

void set_input_size(int64_t h, int64_t w, ModelInfo& info) {
  crop_to(h, w, info.preprocess);
  info.input_h = h;
  info.input_w = w;
}

// Who says how to prepare pictures, in the order of whom to believe.
void choose_preprocess(const std::optional<Preprocess>& of_file, Import& import, ModelInfo& info) {
  Preprocess& p = info.preprocess;
  const Preset* known =
      import.known != nullptr ? find_preset(std::string_view(import.known->preprocess)) : nullptr;
  std::string& by = import.report.preprocess_by;
  if (import.options.preprocess) {
    p = *import.options.preprocess;
    by = "--preprocess";
  } else if (of_file) {
    p = *of_file;
    by = "the file";
  } else if (known != nullptr) {
    p = known->preprocess;
    by = "the table of published weights, which has this file";
  } else {
    const bool recognised = architecture_called(info.architecture).ok();
    by = concat(recognised ? concat("architecture ", info.architecture) : std::string("default"),
                "; the file does not say");
  }
}

// The input is as large as the crop, but where a graph says itself how large it is.
void set_preprocess(const std::optional<Preprocess>& of_file, bool is_graph, Import& import,
                    ModelInfo& info) {
  const Preprocess before = info.preprocess;
  choose_preprocess(of_file, import, info);
  if (is_graph) {
    set_input_size(info.input_h, info.input_w, info);
  } else if (info.preprocess != before) {
    info.input_h = info.preprocess.crop_h;
    info.input_w = info.preprocess.crop_w;
  }
}

void fill_in(Import& import, ModelInfo& info) {
  const ImportOptions& options = import.options;
  info.source_sha256 = import.sha256;
  info.source_name = is_valid_utf8(import.file) ? import.file : escape_name(import.file);
  info.producer = concat("penult ", version());
  info.weights_name = import.known != nullptr ? import.known->weights : info.source_name;
  if (import.known != nullptr) info.licence = import.known->licence;
  if (!options.weights_name.empty()) info.weights_name = options.weights_name;
}

// A graph is what it is; an architecture that the user names has to be its own.
Status name_graph(SourceGraph& graph, const Import& import) {
  const std::string& named = import.options.arch;
  if (named.empty()) {
    recognise_graph(import.hint, graph);
    return {};
  }
  PENULT_ASSIGN_OR_RETURN(const Architecture* architecture, architecture_called(named));
  const Status followed = follow_architecture(*architecture, graph);
  if (followed.ok()) return followed;
  return Status(StatusCode::kModelInvalid,
                concat("the file's graph is not that of ", named, " (--arch): ", followed.message(),
                       "; without --arch it is taken as it is"));
}

// Takes what the source holds.
Result<ModelData> build(Source& source, Import& import) {
  if (auto* graph = std::get_if<SourceGraph>(&source)) {
    PENULT_RETURN_IF_ERROR(name_graph(*graph, import));
    // What its reader guessed about a network that it did not know is known now.
    if (architecture_called(graph->model.info.architecture).ok()) import.report.notes.clear();
    for (std::string& note : graph->notes) import.report.notes.push_back(std::move(note));
    return std::move(graph->model);
  }
  StateDict& weights = std::get<StateDict>(source);
  PENULT_ASSIGN_OR_RETURN(const Architecture* architecture, choose_architecture(weights, import));
  auto model = architecture->build(std::move(weights));
  const Status& status = model.status();
  if (status.code() != StatusCode::kModelInvalid) return model;
  return Status(status.code(), concat(status.message(), "; ", kRoutes));
}

Result<ModelData> read_and_build(const std::string& path, const ImportOptions& options,
                                 ImportReport* report) {
  Import import = {.options = options,
                   .file = std::filesystem::path(path).filename().string(),
                   .hint = name_that_tells(path),
                   .sha256 = "",
                   .report = {}};
  PENULT_ASSIGN_OR_RETURN(Source source, read_source(path, options));
  PENULT_ASSIGN_OR_RETURN(import.sha256, hash_of_source(path, source));
  import.known = options.known ? &*options.known : find_known_weights(import.sha256);
  const bool is_graph = std::holds_alternative<SourceGraph>(source);
  std::optional<Preprocess> preprocess;
  std::visit(
      [&](auto& s) {
        preprocess = s.preprocess;
        import.report.format = s.format;
        import.report.notes = std::exchange(s.notes, {});
      },
      source);
  PENULT_ASSIGN_OR_RETURN(ModelData model, build(source, import));
  note_unused_options(source, import);
  if (!model.info.note.empty()) import.report.notes.push_back(std::move(model.info.note));
  fill_in(import, model.info);
  set_preprocess(preprocess, is_graph, import, model.info);
  if (options.input_h != 0) set_input_size(options.input_h, options.input_w, model.info);
  PENULT_RETURN_IF_ERROR(validate(model));
  if (report != nullptr) *report = std::move(import.report);
  return model;
}

// Sizes are checked against the file's before anything is allocated, but the machine may be small.
Result<ModelData> import_within_memory(const std::string& path, const ImportOptions& options,
                                       ImportReport* report) {
  try {
    return read_and_build(path, options, report);
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kOutOfMemory, "no memory for the tensors");
  }
}

}  // namespace

std::span<const Format> all_formats() { return kFormats; }

Result<ModelData> import_file(const std::string& path, const ImportOptions& options,
                              ImportReport* report) {
  Result<ModelData> model = import_within_memory(path, options, report);
  const StatusCode code = model.status().code();
  const bool names_itself = code == StatusCode::kNotFound || code == StatusCode::kIo ||
                            code == StatusCode::kInvalidArgument;
  if (model.ok() || names_itself) return model;
  return Status(code, concat(quote(path), ": ", model.status().message()));
}

}  // namespace penult::converters
