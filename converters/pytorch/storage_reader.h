#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/file.h"
#include "penult/status.h"

namespace penult::converters {

// Where the elements of a storage lie in the file.
struct StoragePlace {
  uint64_t offset = 0, bytes = 0;
  std::optional<uint32_t> crc32;  // where the container has one
};

// A file of torch.save: whole, to see what is where, then its storages one at a time, so that the
// file and the numbers made of it need not be in memory together.
class StorageReader {
 public:
  static Result<StorageReader> open(const std::string& path);

  uint64_t file_bytes() const { return file_.size(); }
  // LimitExceeded above 4 GiB.
  Result<std::vector<uint8_t>> read_all() const;

  // The bytes of the storage `key`, until the next call. ChecksumMismatch; LimitExceeded if tensors
  // ask for several storages in turn until 4 times the file was read.
  Result<std::span<const uint8_t>> read(const std::string& key, const StoragePlace& place);

 private:
  explicit StorageReader(InputFile file) : file_(std::move(file)) {}

  InputFile file_;
  uint64_t read_bytes_ = 0;  // so far
  std::optional<uint64_t> offset_;
  std::vector<uint8_t> bytes_;  // of the storage there
};

}  // namespace penult::converters
