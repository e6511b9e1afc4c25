#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "penult/status.h"

namespace penult::fetch {

// What has arrived of a file: PATH.part, and beside it PATH.part.etag with the server's name for
// the state that the bytes are of. Both stay when the process ends; one process at a time holds
// them.
class PartFile {
 public:
  // Io, NoSpace; Busy while another process holds it.
  static Result<PartFile> open(const std::string& path);
  PartFile(PartFile&& other) noexcept;
  PartFile& operator=(PartFile&&) = delete;
  ~PartFile();

  uint64_t size() const { return size_; }
  const std::string& path() const { return part_; }
  // A strong entity tag with its quotes, or nothing.
  const std::string& tag() const { return tag_; }
  // Weak tags, and what is none, are forgotten: they do not promise equal bytes.
  void set_tag(const std::string& tag);

  Status append(std::span<const uint8_t> bytes);  // Io or NoSpace
  Status restart();                               // empties it
  Result<std::string> sha256() const;
  Status finish();  // the part becomes PATH, whatever was there
  void discard();

 private:
  explicit PartFile(const std::string& path);
  Result<bool> lock();  // false: the file lost its name while it was waited for

  std::string path_, part_, tag_path_, tag_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

}  // namespace penult::fetch
