#include "engine/model/weight_file.h"

#include <algorithm>
#include <array>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "engine/model/file_layout.h"

namespace penult {

Status WeightFile::read(WeightId id, std::span<float> dst) const {
  const WeightRange& range = ranges_[id];
  PENULT_DCHECK(dst.size_bytes() == range.bytes);
  const std::span<uint8_t> bytes(reinterpret_cast<uint8_t*>(dst.data()), range.bytes);
  PENULT_RETURN_IF_ERROR(file_.read_at(range.offset, bytes));
  for (size_t block = 0; block < range.block_crc32c.size(); ++block) {
    const size_t begin = block * layout::kBlockBytes;
    const size_t size = std::min<size_t>(layout::kBlockBytes, bytes.size() - begin);
    if (crc32c(bytes.subspan(begin, size)) == range.block_crc32c[block]) continue;
    return Status(StatusCode::kChecksumMismatch,
                  concat(quote(file_.path()), ": weight ", quote(range.name), ", block ", block,
                         " at byte ", range.offset + begin,
                         ": its checksum differs; the file was damaged, convert or copy it again"));
  }
  std::array<uint8_t, layout::kAlignment> padding{};
  const uint64_t end = range.offset + range.bytes;
  const auto tail = std::span(padding).first(align_up(end, layout::kAlignment) - end);
  PENULT_RETURN_IF_ERROR(file_.read_at(end, tail));
  if (std::any_of(tail.begin(), tail.end(), [](uint8_t b) { return b != 0; })) {
    return Status(StatusCode::kFormatCorrupt,
                  concat(quote(file_.path()), ": padding behind weight ", quote(range.name),
                         " at byte ", end, " is not zero"));
  }
  return {};
}

}  // namespace penult
