#include "converters/pytorch/zip_reader.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/digest.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

constexpr uint32_t kLocalMagic = 0x04034b50, kCentralMagic = 0x02014b50, kEndMagic = 0x06054b50,
                   kEnd64Magic = 0x06064b50, kLocator64Magic = 0x07064b50,
                   kDescriptorMagic = 0x08074b50;
constexpr uint64_t kLocalBytes = 30, kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                   kLocator64Bytes = 20, kDescriptorBytes = 16, kDescriptor64Bytes = 24;
constexpr uint16_t kEncrypted = 1, kDescriptor = 8, kUtf8 = 0x800;  // flags
constexpr uint16_t kZip64Field = 1, kUnicodePathField = 0x7075;     // ids of extra fields
constexpr uint64_t kMaxEntries = 100'000;

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, "zip archive: " + std::move(message));
}

template <typename T>
T load_le(std::span<const uint8_t> bytes, uint64_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | static_cast<T>(bytes[at + i]) << (8 * i));
  }
  return value;
}

// Nothing is ever unpacked, but a name that would leave the folder is an attack on others.
bool is_safe_entry_name(const std::string& name) {
  if (!is_valid_name(name) || name.find('\\') != std::string::npos) return false;
  for (size_t begin = 0, end = 0; end != std::string::npos; begin = end + 1) {
    end = name.find('/', begin);
    const auto part = std::string_view(name).substr(begin, end - begin);
    if (part.empty() || part == "." || part == "..") return false;
  }
  return true;
}

// The extra field `id`; nothing if there is none.
std::optional<std::span<const uint8_t>> find_field(std::span<const uint8_t> extra, uint16_t id) {
  while (extra.size() >= 4) {
    const auto field = load_le<uint16_t>(extra, 0), bytes = load_le<uint16_t>(extra, 2);
    extra = extra.subspan(4);
    if (bytes > extra.size()) return std::nullopt;
    if (field == id) return extra.first(bytes);
    extra = extra.subspan(bytes);
  }
  return std::nullopt;
}

// The uncompressed and compressed size of a zip64 extra field; nothing unless both are there and
// equal.
std::optional<uint64_t> zip64_size(std::span<const uint8_t> extra) {
  const auto field = find_field(extra, kZip64Field);
  if (!field || field->size() != 16 ||
      load_le<uint64_t>(*field, 0) != load_le<uint64_t>(*field, 8)) {
    return std::nullopt;
  }
  return load_le<uint64_t>(*field, 0);
}

struct Directory {
  uint64_t entries, bytes, offset;
};

// The end record must be the last bytes: no comment, nothing appended. torch adds the zip64 form
// too.
Result<Directory> find_directory(std::span<const uint8_t> file) {
  if (file.size() < kEndBytes || load_le<uint32_t>(file, file.size() - kEndBytes) != kEndMagic) {
    return corrupt(
        "its end record is not the end of the file; truncated, or something was appended");
  }
  const uint64_t end = file.size() - kEndBytes;
  const auto disk = load_le<uint16_t>(file, end + 4), first_disk = load_le<uint16_t>(file, end + 6);
  const auto on_disk = load_le<uint16_t>(file, end + 8),
             comment = load_le<uint16_t>(file, end + 20);
  if (disk != 0 || first_disk != 0 || on_disk != load_le<uint16_t>(file, end + 10) ||
      comment != 0) {
    return corrupt("its end record tells of several disks or of a comment, expected neither");
  }
  Directory directory{load_le<uint16_t>(file, end + 10), load_le<uint32_t>(file, end + 12),
                      load_le<uint32_t>(file, end + 16)};
  uint64_t directory_end = end;
  if (end >= kEnd64Bytes + kLocator64Bytes &&
      load_le<uint32_t>(file, end - kLocator64Bytes) == kLocator64Magic) {
    const uint64_t at = end - kLocator64Bytes - kEnd64Bytes;
    if (load_le<uint32_t>(file, at) != kEnd64Magic ||
        load_le<uint64_t>(file, end - kLocator64Bytes + 8) != at) {
      return corrupt("its zip64 end record is not where the locator says");
    }
    const Directory wide{load_le<uint64_t>(file, at + 32), load_le<uint64_t>(file, at + 40),
                         load_le<uint64_t>(file, at + 48)};
    const auto agree = [](uint64_t narrow, uint64_t max, uint64_t value) {
      return narrow == max || narrow == value;
    };
    if (!agree(directory.entries, 0xffff, wide.entries) ||
        !agree(directory.bytes, 0xffffffff, wide.bytes) ||
        !agree(directory.offset, 0xffffffff, wide.offset)) {
      return corrupt("its two end records disagree");
    }
    directory = wide;
    directory_end = at;
  }
  if (directory.offset > directory_end || directory.bytes != directory_end - directory.offset) {
    return corrupt(concat("its directory of ", directory.bytes, " bytes at ", directory.offset,
                          " does not end at byte ", directory_end));
  }
  if (directory.entries > kMaxEntries) {
    return Status(StatusCode::kLimitExceeded, concat("zip archive: ", directory.entries,
                                                     " entries, expected at most ", kMaxEntries));
  }
  return directory;
}

}  // namespace

Result<ZipReader> ZipReader::open(std::span<const uint8_t> file) {
  ZipReader reader(file);
  PENULT_RETURN_IF_ERROR(reader.read_directory());
  return reader;
}

Status ZipReader::read_directory() {
  PENULT_ASSIGN_OR_RETURN(const Directory directory, find_directory(file_));
  const uint64_t end = directory.offset + directory.bytes;
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    PENULT_RETURN_IF_ERROR(read_central_header(at, end));
    if (!index_.emplace(entries_.back().name, i).second) {
      return corrupt(concat("entry ", quote(entries_.back().name), " occurs twice"));
    }
  }
  if (at != end) return corrupt("its directory holds more than its entries");
  for (Entry& entry : entries_) PENULT_RETURN_IF_ERROR(check_local_header(entry));
  return check_layout(directory.offset);
}

// Bytes of the directory entry at `at`, whose fixed part lies within the directory.
uint64_t ZipReader::central_bytes(uint64_t at) const {
  return kCentralBytes + load_le<uint16_t>(file_, at + 28) + load_le<uint16_t>(file_, at + 30) +
         load_le<uint16_t>(file_, at + 32);
}

Result<std::string> ZipReader::read_name(uint64_t at, uint64_t end) const {
  if (end - at < kCentralBytes || load_le<uint32_t>(file_, at) != kCentralMagic) {
    return corrupt(concat("no directory entry at byte ", at));
  }
  if (end - at < central_bytes(at)) return corrupt("a directory entry is cut off");
  const auto name = file_.subspan(at + kCentralBytes, load_le<uint16_t>(file_, at + 28));
  return std::string(name.begin(), name.end());
}

Result<std::vector<std::string>> ZipReader::list_names(std::span<const uint8_t> file) {
  const ZipReader reader(file);
  PENULT_ASSIGN_OR_RETURN(const Directory directory, find_directory(file));
  std::vector<std::string> names;
  uint64_t at = directory.offset;
  for (uint64_t i = 0; i < directory.entries; ++i) {
    PENULT_ASSIGN_OR_RETURN(names.emplace_back(),
                            reader.read_name(at, directory.offset + directory.bytes));
    at += reader.central_bytes(at);
  }
  return names;
}

Status ZipReader::read_central_header(uint64_t& at, uint64_t end) {
  Entry entry;
  PENULT_ASSIGN_OR_RETURN(entry.name, read_name(at, end));
  if (!is_safe_entry_name(entry.name)) {
    return corrupt(concat("entry name ", quote(entry.name),
                          " is not a relative path of valid text without \"..\""));
  }
  const auto flags = load_le<uint16_t>(file_, at + 8), method = load_le<uint16_t>(file_, at + 10);
  const uint64_t extra_bytes = load_le<uint16_t>(file_, at + 30);
  // Some readers would take that name instead.
  if (find_field(file_.subspan(at + kCentralBytes + entry.name.size(), extra_bytes),
                 kUnicodePathField)) {
    return corrupt(concat("entry ", quote(entry.name), " has a second name"));
  }
  if ((flags & kEncrypted) != 0 || method != 0) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("zip archive: entry ", quote(entry.name), " is ",
                         method != 0 ? "compressed" : "encrypted", "; expected stored entries"));
  }
  if ((flags & ~(kDescriptor | kUtf8)) != 0) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("zip archive: entry ", quote(entry.name), " has flags ", flags, " set"));
  }
  const uint64_t packed = load_le<uint32_t>(file_, at + 20);
  entry.bytes = load_le<uint32_t>(file_, at + 24);
  entry.header_offset = load_le<uint32_t>(file_, at + 42);
  if (packed != entry.bytes) return corrupt(concat("entry ", quote(entry.name), " has two sizes"));
  if (entry.bytes == 0xffffffff || entry.header_offset == 0xffffffff) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("zip archive: entry ", quote(entry.name), " needs zip64 (4 GiB or more)"));
  }
  entry.crc32 = load_le<uint32_t>(file_, at + 16);
  entry.flags = flags;
  entries_.push_back(std::move(entry));
  at += central_bytes(at);
  return {};
}

Status ZipReader::check_local_header(Entry& entry) const {
  const uint64_t at = entry.header_offset;
  const auto disagree = [&] {
    return corrupt(concat("entry ", quote(entry.name), ": its two headers disagree"));
  };
  if (at > file_.size() || file_.size() - at < kLocalBytes ||
      load_le<uint32_t>(file_, at) != kLocalMagic) {
    return disagree();
  }
  const uint64_t name_bytes = load_le<uint16_t>(file_, at + 26);
  const uint64_t extra_bytes = load_le<uint16_t>(file_, at + 28);
  entry.data_offset = at + kLocalBytes + name_bytes + extra_bytes;
  if (entry.data_offset > file_.size() || entry.bytes > file_.size() - entry.data_offset) {
    return corrupt(concat("entry ", quote(entry.name), " reaches beyond the end of the file"));
  }
  const auto name = file_.subspan(at + kLocalBytes, name_bytes);
  const auto extra = file_.subspan(at + kLocalBytes + name_bytes, extra_bytes);
  if (!std::equal(name.begin(), name.end(), entry.name.begin(), entry.name.end()) ||
      load_le<uint16_t>(file_, at + 6) != entry.flags || load_le<uint16_t>(file_, at + 8) != 0 ||
      find_field(extra, kUnicodePathField)) {
    return disagree();
  }
  // With a descriptor behind the data (torch) the header may hold zeros; numpy writes all ones and
  // a zip64 field.
  const bool open = (entry.flags & kDescriptor) != 0;
  const auto crc = load_le<uint32_t>(file_, at + 14);
  if (crc != entry.crc32 && !(open && crc == 0)) return disagree();
  for (const uint64_t field : {at + 18, at + 22}) {
    const auto size = load_le<uint32_t>(file_, field);
    const bool wide =
        size == 0xffffffff && zip64_size(extra) == std::optional<uint64_t>(entry.bytes);
    if (size != entry.bytes && !(open && size == 0) && !wide) return disagree();
  }
  return {};
}

// The descriptor fills bytes [at, next): signature, CRC-32, and both sizes in 4 or 8 bytes.
bool ZipReader::descriptor_agrees(const Entry& entry, uint64_t at, uint64_t next) const {
  const bool wide = next - at == kDescriptor64Bytes;
  if (!wide && next - at != kDescriptorBytes) return false;
  const auto size = [&](uint64_t offset) {
    return wide ? load_le<uint64_t>(file_, offset) : load_le<uint32_t>(file_, offset);
  };
  return load_le<uint32_t>(file_, at) == kDescriptorMagic &&
         load_le<uint32_t>(file_, at + 4) == entry.crc32 && size(at + 8) == entry.bytes &&
         size(at + (wide ? 16 : 12)) == entry.bytes;
}

// Entries must follow each other without overlap and without hidden bytes between them.
Status ZipReader::check_layout(uint64_t directory_offset) const {
  std::vector<const Entry*> order;
  for (const Entry& entry : entries_) order.push_back(&entry);
  std::sort(order.begin(), order.end(),
            [](const Entry* a, const Entry* b) { return a->header_offset < b->header_offset; });
  uint64_t at = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    if (order[i]->header_offset != at) {
      return corrupt(concat("entry ", quote(order[i]->name), " starts at byte ",
                            order[i]->header_offset, ", expected ", at));
    }
    const uint64_t end = order[i]->data_offset + order[i]->bytes;
    const uint64_t next = i + 1 < order.size() ? order[i + 1]->header_offset : directory_offset;
    const bool described = (order[i]->flags & kDescriptor) != 0;
    if (next < end || (!described && next != end)) {
      return corrupt(concat("entry ", quote(order[i]->name), " ends at byte ", end,
                            ", the next part starts at ", next));
    }
    if (described && !descriptor_agrees(*order[i], end, next)) {
      return corrupt(concat("entry ", quote(order[i]->name),
                            ": the descriptor behind it disagrees with the directory"));
    }
    at = next;
  }
  return at == directory_offset ? Status()
                                : corrupt("bytes before its directory belong to nothing");
}

Result<std::span<const uint8_t>> ZipReader::read(const std::string& name) const {
  const auto found = index_.find(name);
  if (found == index_.end()) {
    return Status(StatusCode::kNotFound, concat("zip archive: no entry ", quote(name)));
  }
  const Entry& entry = entries_[found->second];
  const auto bytes = file_.subspan(entry.data_offset, entry.bytes);
  if (crc32(bytes) == entry.crc32) return bytes;
  return Status(StatusCode::kChecksumMismatch,
                concat("zip archive: entry ", quote(name),
                       ": its CRC-32 differs; the file is damaged, fetch it again"));
}

}  // namespace penult::converters
