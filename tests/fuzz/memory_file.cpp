#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/target.h"

namespace penult::fuzz {

MemoryFile& MemoryFile::instance() {
  static MemoryFile file;
  return file;
}

MemoryFile::MemoryFile() : fd_(::memfd_create("penult-fuzz", MFD_CLOEXEC)) {
  require(fd_ >= 0, "a file in memory");
  path_ = "/proc/self/fd/" + std::to_string(fd_);
}

void MemoryFile::replace(std::span<const uint8_t> bytes) {
  require(::ftruncate(fd_, 0) == 0, "an empty file");
  for (size_t at = 0; at < bytes.size();) {
    const ssize_t written =
        ::pwrite(fd_, bytes.data() + at, bytes.size() - at, static_cast<off_t>(at));
    require(written > 0, "a written file");
    at += static_cast<size_t>(written);
  }
}

}  // namespace penult::fuzz
