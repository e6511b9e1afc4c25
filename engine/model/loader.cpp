#include "engine/model/loader.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/model/file_layout.h"
#include "engine/model/graph_part.h"
#include "engine/model/weight_file.h"

namespace penult {
namespace {

struct Header {
  uint32_t major = 0, minor = 0;
  uint64_t features = 0, graph_bytes = 0, weights_offset = 0, file_bytes = 0;
  uint32_t graph_crc = 0;
};

template <typename T>
T load_le(std::span<const uint8_t> bytes, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i)
    value |= static_cast<T>(static_cast<T>(bytes[at + i]) << (8 * i));
  return value;
}

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

Result<Header> parse_header(std::span<const uint8_t, layout::kHeaderBytes> bytes) {
  if (!std::equal(layout::kMagic.begin(), layout::kMagic.end(), bytes.begin())) {
    return corrupt(
        "not a .penult file: it does not start with the format's magic bytes; "
        "convert a weight file with `penult convert` first");
  }
  Header header;
  header.major = load_le<uint32_t>(bytes, layout::kAtMajor);
  header.minor = load_le<uint32_t>(bytes, layout::kAtMinor);
  if (header.major > layout::kMajor) {
    return Status(StatusCode::kVersionTooNew,
                  concat("format version ", header.major, ".", header.minor,
                         ", this penult reads up to ", layout::kMajor, ".x; use a newer penult"));
  }
  if (crc32c(bytes.first(layout::kAtHeaderCrc)) != load_le<uint32_t>(bytes, layout::kAtHeaderCrc)) {
    return Status(StatusCode::kChecksumMismatch,
                  "the header's checksum differs; the file was damaged, convert or copy it again");
  }
  if (header.major < 1) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("format version ", header.major, ", expected 1"));
  }
  header.features = load_le<uint64_t>(bytes, layout::kAtFeatures);
  if ((header.features & ~layout::kKnownFeatures) != 0) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("the file needs features ", header.features, ", this penult knows ",
                         layout::kKnownFeatures, "; use a newer penult"));
  }
  if (load_le<uint32_t>(bytes, layout::kAtReserved) != 0 ||
      load_le<uint32_t>(bytes, layout::kAtReserved2) != 0) {
    return corrupt("reserved bytes of the header are not zero");
  }
  header.graph_bytes = load_le<uint64_t>(bytes, layout::kAtGraphBytes);
  header.graph_crc = load_le<uint32_t>(bytes, layout::kAtGraphCrc);
  header.weights_offset = load_le<uint64_t>(bytes, layout::kAtWeightsOffset);
  header.file_bytes = load_le<uint64_t>(bytes, layout::kAtFileBytes);
  return header;
}

Status check_sizes(const Header& header, uint64_t actual_bytes) {
  if (header.graph_bytes > layout::kMaxGraphBytes) {
    return Status(StatusCode::kLimitExceeded,
                  concat("graph part of ", header.graph_bytes, " bytes, expected at most ",
                         layout::kMaxGraphBytes));
  }
  if (header.file_bytes != actual_bytes) {
    return corrupt(concat("the file has ", actual_bytes, " bytes, its header says ",
                          header.file_bytes, "; it was truncated or something was appended"));
  }
  const uint64_t expected = layout::weights_offset(header.graph_bytes);
  if (header.weights_offset != expected || expected > actual_bytes) {
    return corrupt(concat("weights start at byte ", header.weights_offset, ", expected ", expected,
                          " within ", actual_bytes, " bytes"));
  }
  return {};
}

// The graph part with its padding, checksum verified.
Result<std::vector<uint8_t>> read_graph_bytes(const InputFile& file, const Header& header) {
  std::vector<uint8_t> bytes(header.weights_offset - layout::kHeaderBytes);
  PENULT_RETURN_IF_ERROR(file.read_at(layout::kHeaderBytes, bytes));
  if (std::any_of(bytes.begin() + static_cast<int64_t>(header.graph_bytes), bytes.end(),
                  [](uint8_t b) { return b != 0; })) {
    return corrupt("padding behind the graph part is not zero");
  }
  bytes.resize(header.graph_bytes);
  if (crc32c(bytes) != header.graph_crc) {
    return Status(
        StatusCode::kChecksumMismatch,
        "the graph part's checksum differs; the file was damaged, convert or copy it again");
  }
  return bytes;
}

// Ranges must follow each other without overlap or gap, up to the end of the file.
Status check_ranges(GraphPart& part, const Header& header) {
  uint64_t next = 0;
  for (size_t i = 0; i < part.weights.size(); ++i) {
    WeightRange& range = part.weights[i];
    const std::string where = concat("weight ", quote(range.name), ": ");
    const auto elems = checked_product(part.model.graph.weights[i].dims);
    const auto bytes = elems ? checked_mul(*elems, sizeof(float)) : std::nullopt;
    if (!bytes || *bytes != range.bytes) {
      return corrupt(concat(where, range.bytes, " bytes do not hold dimensions ",
                            part.model.graph.weights[i].dims, " of float32"));
    }
    if (range.offset != next) {
      return corrupt(concat(where, "starts at byte ", range.offset,
                            " of the weights section, expected ", next));
    }
    const auto end = checked_add(range.offset, range.bytes);
    const auto aligned = end ? checked_align_up(*end, layout::kAlignment) : std::nullopt;
    if (!aligned || *aligned > header.file_bytes - header.weights_offset) {
      return corrupt(concat(where, range.bytes, " bytes at ", range.offset,
                            " reach beyond the end of the file"));
    }
    next = *aligned;
    range.offset += header.weights_offset;
  }
  if (header.weights_offset + next != header.file_bytes) {
    return corrupt(concat("the weights end at byte ", header.weights_offset + next,
                          ", the file at ", header.file_bytes));
  }
  return {};
}

Status check_stored_shapes(const GraphPart& part) {
  for (size_t i = 0; i < part.stored_shapes.size(); ++i) {
    const Value& value = part.model.graph.values[i];
    if (value.shape == part.stored_shapes[i]) continue;
    return Status(
        StatusCode::kModelInvalid,
        concat("value ", quote(value.name), ": the file says shape ",
               part.stored_shapes[i].to_string(), ", inference gives ", value.shape.to_string()));
  }
  return {};
}

Result<ModelData> load(const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(InputFile file, InputFile::open(path));
  if (file.size() < layout::kHeaderBytes) {
    return corrupt(concat("the file has ", file.size(), " bytes, expected at least ",
                          layout::kHeaderBytes, "; it is truncated or not a .penult file"));
  }
  std::array<uint8_t, layout::kHeaderBytes> header_bytes{};
  PENULT_RETURN_IF_ERROR(file.read_at(0, header_bytes));
  PENULT_ASSIGN_OR_RETURN(const Header header, parse_header(header_bytes));
  PENULT_RETURN_IF_ERROR(check_sizes(header, file.size()));
  PENULT_ASSIGN_OR_RETURN(const std::vector<uint8_t> graph, read_graph_bytes(file, header));
  PENULT_ASSIGN_OR_RETURN(GraphPart part, read_graph_part(graph));
  PENULT_RETURN_IF_ERROR(check_ranges(part, header));
  PENULT_RETURN_IF_ERROR(validate(part.model));
  PENULT_RETURN_IF_ERROR(check_stored_shapes(part));
  Sha256 id;
  id.update(graph);  // the block checksums are part of it
  part.model.info.model_id = id.hex_digest();
  part.model.graph.source = std::make_shared<WeightFile>(std::move(file), std::move(part.weights));
  return std::move(part.model);
}

}  // namespace

Result<ModelData> load_model(const std::string& path) {
  Result<ModelData> model = load(path);
  const StatusCode code = model.status().code();
  if (model.ok() || code == StatusCode::kNotFound || code == StatusCode::kIo) return model;
  return Status(code, concat(quote(path), ": ", model.status().message()));
}

Status verify_all_weights(const ModelData& model) {
  std::vector<float> values;
  for (size_t id = 0; id < model.graph.weights.size(); ++id) {
    values.resize(model.graph.weights[id].elems());
    PENULT_RETURN_IF_ERROR(model.graph.source->read(static_cast<WeightId>(id), values));
  }
  return {};
}

}  // namespace penult
