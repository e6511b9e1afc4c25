// safetensors: the length of the header as 8 bytes, the header, and the tensors' bytes behind it.

#include <algorithm>
#include <cstring>

#include "converters/safetensors/formats.h"
#include "converters/safetensors/header.h"
#include "converters/tensor_names.h"
#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

constexpr uint64_t kLengthBytes = 8;
// A header needs about 150 bytes a tensor. The format's own limit is 100 MB.
constexpr uint64_t kMaxHeaderBytes = 16 << 20;
constexpr uint64_t kMaxFileBytes = uint64_t{4} << 30;  // as of other files of weights
constexpr size_t kChunkBytes = 1 << 20;                // read at a time, if numbers are widened

constexpr std::string_view kIndexEnding = ".safetensors.index.json";

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

uint64_t header_bytes(std::span<const uint8_t> head) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) bytes |= static_cast<uint64_t>(head[i]) << (8 * i);
  return bytes;
}

Result<std::vector<uint8_t>> read_header_text(const InputFile& file) {
  if (file.size() > kMaxFileBytes) {
    return Status(StatusCode::kLimitExceeded,
                  concat("the file has ", file.size(), " bytes, expected at most ", kMaxFileBytes));
  }
  if (file.size() < kLengthBytes) return corrupt("the file ends before the length of its header");
  std::vector<uint8_t> length(kLengthBytes);
  PENULT_RETURN_IF_ERROR(file.read_at(0, length));
  const uint64_t bytes = header_bytes(length);
  if (bytes > file.size() - kLengthBytes) {
    return corrupt(concat("its first 8 bytes ask for a header of ", bytes, " bytes, the file has ",
                          file.size(), "; is it whole, and a safetensors file?"));
  }
  if (bytes > kMaxHeaderBytes) {
    return Status(StatusCode::kLimitExceeded,
                  concat("the header has ", bytes, " bytes, expected at most ", kMaxHeaderBytes));
  }
  std::vector<uint8_t> text(bytes);
  PENULT_RETURN_IF_ERROR(file.read_at(kLengthBytes, text));
  return text;
}

// Widens as it reads: a file of half precision is never in memory as well.
Status read_numbers(const InputFile& file, uint64_t at, Dtype dtype, std::span<float> to) {
  const size_t width = dtype_bytes(dtype);
  std::vector<uint8_t> chunk;
  while (!to.empty()) {
    const size_t count = std::min(to.size(), kChunkBytes / width);
    chunk.resize(count * width);
    PENULT_RETURN_IF_ERROR(file.read_at(at, chunk));
    to_floats(chunk, dtype, to.first(count));
    at += chunk.size();
    to = to.subspan(count);
  }
  return {};
}

}  // namespace

bool is_safetensors(std::span<const uint8_t> head, std::string_view path) {
  if (path.ends_with(".safetensors") || path.ends_with(kIndexEnding)) return true;
  constexpr uint64_t kTooLong = uint64_t{1} << 32;  // for any header, but not for other formats
  return head.size() > kLengthBytes && head[kLengthBytes] == '{' && header_bytes(head) < kTooLong;
}

Result<StateDict> read_safetensors(const std::string& path) {
  if (path.ends_with(kIndexEnding)) {
    return Status(StatusCode::kFormatUnsupported,
                  "the file is the index of a network in several safetensors files; join them in "
                  "Python with safetensors.torch: save_file({**load_file(A), **load_file(B)}, C)");
  }
  PENULT_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  PENULT_ASSIGN_OR_RETURN(const std::vector<uint8_t> text, read_header_text(file));
  PENULT_ASSIGN_OR_RETURN(std::vector<TensorEntry> entries, read_header(text));
  const uint64_t data = kLengthBytes + text.size();
  PENULT_RETURN_IF_ERROR(check_layout(entries, file.size() - data));
  StateDict weights;
  weights.format = "safetensors";
  for (TensorEntry& entry : entries) {
    NamedTensor& tensor = weights.tensors.emplace_back();
    tensor.name = std::move(entry.name);
    tensor.dims = std::move(entry.dims);
    tensor.is_counter = !is_float(entry.dtype);
    if (tensor.is_counter) continue;
    tensor.data.resize((entry.end - entry.begin) / dtype_bytes(entry.dtype));
    PENULT_RETURN_IF_ERROR(read_numbers(file, data + entry.begin, entry.dtype, tensor.data));
  }
  if (weights.tensors.empty()) return corrupt("the file holds no tensors");
  strip_prefixes(weights);
  return weights;
}

}  // namespace penult::converters
