#pragma once

// Zip archives of stored (uncompressed) entries, as torch.save and numpy.savez write them.
// Everything ambiguous is refused: what two readers could understand differently is an attack or
// damage.
//
// Format: PKWARE APPNOTE 6.3.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "penult/status.h"

namespace penult::converters {

class ZipReader {
 public:
  struct Entry {
    std::string name;
    uint64_t header_offset = 0, data_offset = 0, bytes = 0;
    uint32_t crc32 = 0;
    uint16_t flags = 0;
  };

  // `file` must outlive the reader. FormatCorrupt: duplicate or unsafe names, overlapping or
  // missing bytes, local and central headers that disagree; FormatUnsupported: compression,
  // encryption, entries of 4 GiB or more; LimitExceeded: more than 100,000 entries.
  static Result<ZipReader> open(std::span<const uint8_t> file);

  // The names of the entries, in an archive that open() may refuse: to say what it is instead.
  static Result<std::vector<std::string>> list_names(std::span<const uint8_t> file);

  const std::vector<Entry>& entries() const { return entries_; }
  // The entry's bytes; NotFound, or ChecksumMismatch if its CRC-32 differs.
  Result<std::span<const uint8_t>> read(const std::string& name) const;

 private:
  explicit ZipReader(std::span<const uint8_t> file) : file_(file) {}
  Status read_directory();
  Result<std::string> read_name(uint64_t at, uint64_t end) const;
  uint64_t central_bytes(uint64_t at) const;
  Status read_central_header(uint64_t& at, uint64_t end);
  Status check_local_header(Entry& entry) const;
  bool descriptor_agrees(const Entry& entry, uint64_t at, uint64_t next) const;
  Status check_layout(uint64_t directory_offset) const;

  std::span<const uint8_t> file_;
  std::vector<Entry> entries_;  // in the order of the directory
  std::map<std::string, size_t> index_;
};

}  // namespace penult::converters
