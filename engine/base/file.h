#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "penult/status.h"

namespace penult {

// A regular file, opened for reading; its size is read once. Move-only; read_at is thread-safe.
class InputFile {
 public:
  // NotFound, Io (not a regular file, no permission). Opened O_NONBLOCK, so a FIFO cannot hang it.
  static Result<InputFile> open(const std::string& path);
  InputFile(InputFile&& other) noexcept;
  InputFile& operator=(InputFile&& other) noexcept;
  ~InputFile();

  uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }
  // Fills dst from `offset`; a short read is Io ("file was truncated while in use").
  Status read_at(uint64_t offset, std::span<uint8_t> dst) const;

 private:
  InputFile() = default;
  int fd_ = -1;
  uint64_t size_ = 0;
  std::string path_;
};

// Asks the system to have the file in memory soon. Does not wait for it, and fails silently.
void prefetch_file(const std::string& path);

// The whole file; LimitExceeded above max_bytes.
Result<std::vector<uint8_t>> read_file(const std::string& path, uint64_t max_bytes);
Result<std::string> sha256_of_file(const std::string& path);

// Writes beside `path` under a temporary name; commit() makes it durable and renames it into place.
// Destroyed without commit(), it leaves nothing behind.
class AtomicFile {
 public:
  static Result<AtomicFile> create(const std::string& path);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  Status write(std::span<const uint8_t> bytes);  // Io or NoSpace
  Status write(const void* data, size_t bytes) {
    return write(std::span(static_cast<const uint8_t*>(data), bytes));
  }
  const std::string& temporary_path() const { return temporary_; }
  // To be called after somebody else wrote or replaced the file at temporary_path().
  Status reopen();
  Status commit();  // fsync, rename, fsync of the folder

 private:
  AtomicFile() = default;
  int fd_ = -1;
  std::string path_, temporary_;
};

// Status for the current errno: NotFound, NoSpace (ENOSPC, EDQUOT, EFBIG), else Io.
Status errno_status(const std::string& what, const std::string& path);

}  // namespace penult
