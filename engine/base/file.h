#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
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

// A file being written, front to back. Move-only.
class OutputFile {
 public:
  Status write(std::span<const uint8_t> bytes);  // Io or NoSpace
  Status write(const void* data, size_t bytes) {
    return write(std::span(static_cast<const uint8_t*>(data), bytes));
  }
  // Replaces bytes that are there already; where write() goes on does not change.
  Status write_at(uint64_t offset, std::span<const uint8_t> bytes);

 protected:
  explicit OutputFile(std::string path) : path_(std::move(path)) {}
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  int fd_ = -1;
  std::string path_;  // for messages: what it will be, or is for
};

// What a file that is there when a new one gets its name is to expect.
enum class Existing { kReplaced, kKept };

// Writes beside `path` under a temporary name; commit() makes it durable and renames it into place.
// Destroyed without commit(), it leaves nothing behind.
class AtomicFile : public OutputFile {
 public:
  // `existing` is about the moment of commit(), too, and then about files of other processes.
  static Result<AtomicFile> create(const std::string& path, Existing existing);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();

  const std::string& temporary_path() const { return temporary_; }
  // To be called after somebody else wrote or replaced the file at temporary_path().
  Status reopen();
  // fsync and close: of what can fail only the rename is left. commit() does it where need be.
  Status seal();
  // seal, rename, fsync of the folder. InvalidArgument if there is a file now that is to be kept.
  Status commit();

 private:
  AtomicFile(const std::string& path, Existing existing) : OutputFile(path), existing_(existing) {}
  std::string temporary_;
  Existing existing_;
};

// A file without a name, in the folder of `path`: gone with the process, however it ends.
class SpoolFile : public OutputFile {
 public:
  static Result<SpoolFile> create(const std::string& path);
  // What create() does where the file system knows no files without a name (O_TMPFILE).
  static Result<SpoolFile> create_unlinked(const std::string& path);
  SpoolFile(SpoolFile&& other) noexcept = default;
  ~SpoolFile() = default;

  // Hands over the descriptor, to read from its start what was written. Io or NoSpace: a network
  // file system that says only now that something did not arrive.
  Result<int> release();

 private:
  explicit SpoolFile(const std::string& path) : OutputFile(path) {}
};

// Status for the current errno: NotFound, NoSpace (ENOSPC, EDQUOT, EFBIG), else Io.
Status errno_status(const std::string& what, const std::string& path);

}  // namespace penult
