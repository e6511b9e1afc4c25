#include "engine/model/weight_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/digest.h"
#include "engine/base/text.h"
#include "engine/model/file_layout.h"

namespace penult {
namespace {

// So much at a time that its checksum reads it from the second-level cache.
constexpr uint64_t kPieceBytes = uint64_t{128} << 10;

class Stream : public WeightStream {
 public:
  Stream(const InputFile& file, const WeightRange& range) : file_(file), range_(range) {}

  Status read(std::span<float> dst) override {
    std::span<uint8_t> bytes(reinterpret_cast<uint8_t*>(dst.data()), dst.size_bytes());
    PENULT_DCHECK(bytes.size() <= range_.bytes - done_);
    while (!bytes.empty()) {
      const uint64_t block_end =
          std::min((done_ / layout::kBlockBytes + 1) * layout::kBlockBytes, range_.bytes);
      const auto piece =
          bytes.first(std::min({uint64_t{bytes.size()}, block_end - done_, kPieceBytes}));
      PENULT_RETURN_IF_ERROR(file_.read_at(range_.offset + done_, piece));
      crc_ = crc32c(piece, crc_);
      done_ += piece.size();
      bytes = bytes.subspan(piece.size());
      if (done_ == block_end) PENULT_RETURN_IF_ERROR(end_block());
    }
    return done_ == range_.bytes ? check_padding() : Status();
  }

 private:
  Status end_block() {
    const uint64_t block = (done_ - 1) / layout::kBlockBytes;
    if (std::exchange(crc_, 0) == range_.block_crc32c[block]) return {};
    return Status(StatusCode::kChecksumMismatch,
                  concat(quote(file_.path()), ": weight ", quote(range_.name), ", block ", block,
                         " at byte ", range_.offset + block * layout::kBlockBytes,
                         ": its checksum differs; the file was damaged, convert or copy it again"));
  }

  Status check_padding() const {
    std::array<uint8_t, layout::kAlignment> padding{};
    const uint64_t end = range_.offset + range_.bytes;
    const auto tail = std::span(padding).first(align_up(end, layout::kAlignment) - end);
    PENULT_RETURN_IF_ERROR(file_.read_at(end, tail));
    if (std::all_of(tail.begin(), tail.end(), [](uint8_t b) { return b == 0; })) return {};
    return Status(StatusCode::kFormatCorrupt,
                  concat(quote(file_.path()), ": padding behind weight ", quote(range_.name),
                         " at byte ", end, " is not zero"));
  }

  const InputFile& file_;
  const WeightRange& range_;
  uint64_t done_ = 0;  // bytes
  uint32_t crc_ = 0;   // of the block so far
};

}  // namespace

std::unique_ptr<WeightStream> WeightFile::open(WeightId id) const {
  return std::make_unique<Stream>(file_, ranges_[id]);
}

}  // namespace penult
