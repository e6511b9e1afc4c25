#include "converters/pytorch/storage_reader.h"

#include "converters/pytorch/formats.h"
#include "engine/base/check.h"
#include "engine/base/digest.h"
#include "engine/base/text.h"

namespace penult::converters {

Result<StorageReader> StorageReader::open(const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(InputFile file, InputFile::open(path));
  return StorageReader(std::move(file));
}

Result<std::vector<uint8_t>> StorageReader::read_all() const {
  if (file_.size() > kMaxWeightFileBytes) {
    return Status(
        StatusCode::kLimitExceeded,
        concat("the file has ", file_.size(), " bytes, expected at most ", kMaxWeightFileBytes));
  }
  std::vector<uint8_t> bytes(file_.size());
  PENULT_RETURN_IF_ERROR(file_.read_at(0, bytes));
  return bytes;
}

Result<std::span<const uint8_t>> StorageReader::read(const std::string& key,
                                                     const StoragePlace& place) {
  const bool there = offset_ == place.offset && bytes_.size() == place.bytes;
  if (there) return std::span<const uint8_t>(bytes_);
  // Views of one storage follow each other. A file could make us read two large ones in turn.
  read_bytes_ += place.bytes;
  if (read_bytes_ / 4 > file_.size()) {
    return Status(StatusCode::kLimitExceeded,
                  concat("storage ", quote(key),
                         ": its tensors and those of others are in a mixed order, and to read them "
                         "would take more than 4 times the file"));
  }
  offset_.reset();
  bytes_.resize(place.bytes);
  PENULT_RETURN_IF_ERROR(file_.read_at(place.offset, bytes_));
  if (place.crc32 && crc32(bytes_) != *place.crc32) {
    return Status(StatusCode::kChecksumMismatch,
                  concat("storage ", quote(key),
                         ": its CRC-32 differs; the file is damaged, fetch it again"));
  }
  offset_ = place.offset;
  return std::span<const uint8_t>(bytes_);
}

}  // namespace penult::converters
