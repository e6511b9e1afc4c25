#include "engine/model/writer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/digest.h"
#include "engine/base/file.h"
#include "engine/base/text.h"
#include "engine/model/file_layout.h"
#include "engine/model/graph_part.h"

namespace penult {
namespace {

constexpr std::array<uint8_t, layout::kAlignment> kZeros{};

Status check_all_weights_used(const Graph& graph) {
  std::vector<bool> used(graph.weights.size(), false);
  for (const Node& node : graph.nodes) {
    for (const WeightId id : node.weights) {
      if (id != kNoWeight) used[id] = true;
    }
  }
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) continue;
    return Status(StatusCode::kModelInvalid,
                  concat("weight ", quote(graph.weights[i].name), " is used by no node"));
  }
  return {};
}

std::span<const uint8_t> bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const uint8_t*>(values.data()), values.size() * sizeof(float)};
}

// The tensor's place and checksums. Not-a-number or infinite weights would spread to every feature.
Result<WeightRange> measure(const WeightInfo& info, const std::vector<float>& values,
                            uint64_t offset) {
  const auto bad =
      std::find_if(values.begin(), values.end(), [](float v) { return !std::isfinite(v); });
  if (bad != values.end()) {
    const auto count = std::count_if(bad, values.end(), [](float v) { return !std::isfinite(v); });
    return Status(StatusCode::kModelInvalid,
                  concat("weight ", quote(info.name), ": ", static_cast<int64_t>(count),
                         " values are not finite, the first at element ",
                         static_cast<int64_t>(bad - values.begin()), "; expected none"));
  }
  WeightRange range{
      .name = info.name, .offset = offset, .bytes = bytes_of(values).size(), .block_crc32c = {}};
  for (uint64_t begin = 0; begin < range.bytes; begin += layout::kBlockBytes) {
    const uint64_t size = std::min(layout::kBlockBytes, range.bytes - begin);
    range.block_crc32c.push_back(crc32c(bytes_of(values).subspan(begin, size)));
  }
  return range;
}

// First pass over the weights: places and checksums, one tensor in memory at a time.
Result<std::vector<WeightRange>> measure_all(const Graph& graph) {
  std::vector<WeightRange> ranges;
  std::vector<float> values;
  uint64_t offset = 0;
  for (size_t id = 0; id < graph.weights.size(); ++id) {
    values.resize(graph.weights[id].elems());
    PENULT_RETURN_IF_ERROR(graph.source->read(static_cast<WeightId>(id), values));
    PENULT_ASSIGN_OR_RETURN(WeightRange range, measure(graph.weights[id], values, offset));
    offset = align_up(offset + range.bytes, layout::kAlignment);
    ranges.push_back(std::move(range));
  }
  return ranges;
}

template <typename T>
void store_le(std::span<uint8_t> bytes, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<uint8_t>(value >> (8 * i));
}

std::array<uint8_t, layout::kHeaderBytes> make_header(std::span<const uint8_t> graph,
                                                      uint64_t weight_bytes) {
  std::array<uint8_t, layout::kHeaderBytes> header{};
  std::copy(layout::kMagic.begin(), layout::kMagic.end(), header.begin());
  const uint64_t weights_at = layout::weights_offset(graph.size());
  store_le<uint32_t>(header, layout::kAtMajor, layout::kMajor);
  store_le<uint32_t>(header, layout::kAtMinor, layout::kMinor);
  store_le<uint64_t>(header, layout::kAtFeatures, 0);
  store_le<uint64_t>(header, layout::kAtGraphBytes, graph.size());
  store_le<uint32_t>(header, layout::kAtGraphCrc, crc32c(graph));
  store_le<uint64_t>(header, layout::kAtWeightsOffset, weights_at);
  store_le<uint64_t>(header, layout::kAtFileBytes, weights_at + weight_bytes);
  store_le<uint32_t>(header, layout::kAtHeaderCrc,
                     crc32c(std::span(header).first(layout::kAtHeaderCrc)));
  return header;
}

Status write_padded(AtomicFile& file, std::span<const uint8_t> bytes, uint64_t padded) {
  PENULT_RETURN_IF_ERROR(file.write(bytes));
  return file.write(std::span(kZeros).first(padded - bytes.size()));
}

Status write_weights(const Graph& graph, const std::vector<WeightRange>& ranges, AtomicFile& file) {
  std::vector<float> values;
  for (size_t id = 0; id < ranges.size(); ++id) {
    values.resize(graph.weights[id].elems());
    PENULT_RETURN_IF_ERROR(graph.source->read(static_cast<WeightId>(id), values));
    PENULT_RETURN_IF_ERROR(
        write_padded(file, bytes_of(values), align_up(ranges[id].bytes, layout::kAlignment)));
  }
  return {};
}

}  // namespace

Result<AtomicFile> write_temporary_model(ModelData& model, const std::string& path,
                                         Existing existing) {
  PENULT_RETURN_IF_ERROR(validate(model));
  PENULT_RETURN_IF_ERROR(check_all_weights_used(model.graph));
  GraphPart part;
  PENULT_ASSIGN_OR_RETURN(part.weights, measure_all(model.graph));
  for (const Value& value : model.graph.values) part.stored_shapes.push_back(value.shape);
  part.model = model;
  const std::vector<uint8_t> graph = write_graph_part(part);
  if (graph.size() > layout::kMaxGraphBytes) {
    return Status(StatusCode::kLimitExceeded,
                  concat("graph part of ", graph.size(), " bytes, expected at most ",
                         layout::kMaxGraphBytes));
  }
  uint64_t weight_bytes = 0;
  for (const WeightRange& range : part.weights) {
    weight_bytes += align_up(range.bytes, layout::kAlignment);
  }
  PENULT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path, existing));
  PENULT_RETURN_IF_ERROR(file.write(make_header(graph, weight_bytes)));
  PENULT_RETURN_IF_ERROR(
      write_padded(file, graph, layout::weights_offset(graph.size()) - layout::kHeaderBytes));
  PENULT_RETURN_IF_ERROR(write_weights(model.graph, part.weights, file));
  PENULT_RETURN_IF_ERROR(file.seal());
  Sha256 id;
  id.update(graph);
  model.info.model_id = id.hex_digest();
  return file;
}

Status write_model(ModelData& model, const std::string& path, Existing existing) {
  PENULT_ASSIGN_OR_RETURN(AtomicFile file, write_temporary_model(model, path, existing));
  return file.commit();
}

}  // namespace penult
