#include "converters/importer.h"

#include <algorithm>
#include <filesystem>
#include <new>
#include <utility>

#include "converters/known_weights.h"
#include "converters/pytorch/formats.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "penult/version.h"

namespace penult::converters {
namespace {

template <bool (*kRecognises)(std::span<const uint8_t>)>
bool by_head(std::span<const uint8_t> head, std::string_view) {
  return kRecognises(head);
}

template <Result<StateDict> (*kRead)(const std::string&)>
Result<Source> tensors(const std::string& path, const ReadOptions&) {
  PENULT_ASSIGN_OR_RETURN(StateDict weights, kRead(path));
  return Source(std::move(weights));
}

// One a line, so that a new one is one line more.
// clang-format off
constexpr Format kFormats[] = {
    {"PyTorch state dict (legacy)", by_head<is_pytorch_legacy>, tensors<read_pytorch_legacy>},
    {"PyTorch state dict (zip)", by_head<is_pytorch_zip>, tensors<read_pytorch_zip>},
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
  std::vector<uint8_t> head(std::min<uint64_t>(file.size(), 64));
  PENULT_RETURN_IF_ERROR(file.read_at(0, head));
  for (const Format& format : all_formats()) {
    if (!format.recognises(head, path)) continue;
    return format.read(path, {.external_data = options.external_data,
                              .input_h = options.input_h,
                              .input_w = options.input_w});
  }
  return Status(
      StatusCode::kFormatUnsupported,
      concat("not a weight file of a known format; known are: ", list_names(all_formats())));
}

Result<const Architecture*> choose_architecture(const StateDict& weights, const std::string& name) {
  for (const Architecture& architecture : all_architectures()) {
    if (name.empty() ? architecture.recognises(weights) : name == architecture.name) {
      return &architecture;
    }
  }
  const std::string known = list_names(all_architectures());
  if (!name.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  concat("unknown architecture ", quote(name), ", expected one of: ", known));
  }
  return Status(
      StatusCode::kFormatUnsupported,
      concat("the tensors' names fit no known architecture (the first is ",
             quote(weights.tensors[0].name), "); known are: ", known, "; --arch names one"));
}

// Images are cropped to the new size, and resized so that the crop shows the same part of them as
// it did before (rounded down, as timm does). The longer side decides: the crop stays inside.
void set_input_size(int64_t h, int64_t w, ModelInfo& info) {
  Preprocess& p = info.preprocess;
  const int64_t before = std::max(p.crop_h, p.crop_w);
  p.resize = static_cast<int32_t>(p.resize * std::max(h, w) / before);
  p.crop_h = static_cast<int32_t>(h);
  p.crop_w = static_cast<int32_t>(w);
  info.input_h = h;
  info.input_w = w;
}

Status fill_in(const std::string& path, const ImportOptions& options, ModelInfo& info) {
  PENULT_ASSIGN_OR_RETURN(info.source_sha256, sha256_of_file(path));
  info.source_name = std::filesystem::path(path).filename().string();
  if (!is_valid_utf8(info.source_name)) info.source_name = escape_name(info.source_name);
  info.producer = concat("penult ", version());
  const KnownWeights* known = find_known_weights(info.source_sha256);
  info.weights_name = known != nullptr ? known->name : info.source_name;
  if (known != nullptr) info.licence = known->licence;
  if (!options.weights_name.empty()) info.weights_name = options.weights_name;
  if (options.input_h != 0) set_input_size(options.input_h, options.input_w, info);
  return {};
}

// A graph is what it is.
Result<ModelData> build(Source source, const std::string& path, const ImportOptions& options) {
  if (auto* graph = std::get_if<SourceGraph>(&source)) return std::move(graph->model);
  StateDict weights = std::get<StateDict>(std::move(source));
  weights.hint =
      options.arch.empty() ? std::filesystem::path(path).filename().string() : options.arch;
  PENULT_ASSIGN_OR_RETURN(const Architecture* architecture,
                          choose_architecture(weights, options.arch));
  return architecture->build(std::move(weights));
}

Result<ModelData> read_and_build(const std::string& path, const ImportOptions& options) {
  PENULT_ASSIGN_OR_RETURN(Source source, read_source(path, options));
  PENULT_ASSIGN_OR_RETURN(ModelData model, build(std::move(source), path, options));
  PENULT_RETURN_IF_ERROR(fill_in(path, options, model.info));
  PENULT_RETURN_IF_ERROR(validate(model));
  return model;
}

// Sizes are checked against the file's before anything is allocated, but the machine may be small.
Result<ModelData> import_within_memory(const std::string& path, const ImportOptions& options) {
  try {
    return read_and_build(path, options);
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kOutOfMemory, "no memory for the tensors");
  }
}

}  // namespace

std::span<const Format> all_formats() { return kFormats; }

Result<ModelData> import_file(const std::string& path, const ImportOptions& options) {
  Result<ModelData> model = import_within_memory(path, options);
  const StatusCode code = model.status().code();
  const bool names_itself = code == StatusCode::kNotFound || code == StatusCode::kIo ||
                            code == StatusCode::kInvalidArgument;
  if (model.ok() || names_itself) return model;
  return Status(code, concat(quote(path), ": ", model.status().message()));
}

}  // namespace penult::converters
