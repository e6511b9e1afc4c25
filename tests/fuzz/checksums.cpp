#include "tests/fuzz/checksums.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "converters/pytorch/zip_reader.h"
#include "engine/base/digest.h"
#include "engine/model/file_layout.h"

namespace penult::fuzz {
namespace {

template <typename T>
void store_le(std::span<uint8_t> bytes, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) bytes[at + i] = static_cast<uint8_t>(value >> 8 * i);
}

uint32_t load_be(std::span<const uint8_t> bytes, size_t at) {
  return uint32_t{bytes[at]} << 24 | uint32_t{bytes[at + 1]} << 16 | uint32_t{bytes[at + 2]} << 8 |
         bytes[at + 3];
}

}  // namespace

void repair_png(std::span<uint8_t> file) {
  constexpr size_t kSignature = 8, kFrame = 12;  // length, kind and CRC of a chunk
  for (size_t at = kSignature; at + kFrame <= file.size();) {
    const size_t length = load_be(file, at);
    if (length > file.size() - at - kFrame) return;
    const uint32_t crc = crc32(file.subspan(at + 4, 4 + length));
    for (size_t i = 0; i < 4; ++i) {
      file[at + 8 + length + i] = static_cast<uint8_t>(crc >> (24 - 8 * i));
    }
    at += kFrame + length;
  }
}

bool change_zip_entry(std::span<uint8_t> file, uint32_t choice, void (*change)(uint8_t*, size_t)) {
  const auto zip = converters::ZipReader::open(file);
  if (!zip.ok() || zip->entries().empty()) return false;
  // Every other time the first one: of a state dict the pickle.
  const auto& entries = zip->entries();
  const auto& entry = entries[choice % 2 == 0 ? 0 : choice / 2 % entries.size()];
  if (entry.bytes == 0) return false;
  change(&file[entry.data_offset], entry.bytes);
  const uint32_t crc = crc32(file.subspan(entry.data_offset, entry.bytes));
  // In the local header, the descriptor and the directory. The same four bytes elsewhere are
  // improbable, and would do no harm.
  std::array<uint8_t, 4> old{};
  store_le(old, 0, entry.crc32);
  for (auto found = file.begin(); crc != entry.crc32; found += 4) {
    found = std::search(found, file.end(), old.begin(), old.end());
    if (found == file.end()) break;
    store_le(file, static_cast<size_t>(found - file.begin()), crc);
  }
  return true;
}

void repair_penult_header(std::span<uint8_t> file) {
  if (file.size() < layout::kHeaderBytes) return;
  uint64_t graph_bytes = 0;
  std::memcpy(&graph_bytes, &file[layout::kAtGraphBytes], sizeof graph_bytes);
  if (graph_bytes > file.size() - layout::kHeaderBytes) return;
  const uint64_t weights = layout::weights_offset(graph_bytes);
  if (weights > file.size()) return;
  std::fill(file.begin() + static_cast<int64_t>(layout::kHeaderBytes + graph_bytes),
            file.begin() + static_cast<int64_t>(weights), uint8_t{0});
  store_le(file, layout::kAtWeightsOffset, weights);
  store_le(file, layout::kAtFileBytes, uint64_t{file.size()});
  store_le(file, layout::kAtGraphCrc, crc32c(file.subspan(layout::kHeaderBytes, graph_bytes)));
  store_le(file, layout::kAtHeaderCrc, crc32c(file.first(layout::kAtHeaderCrc)));
}

}  // namespace penult::fuzz
