#include "engine/base/file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/digest.h"
#include "engine/base/text.h"

namespace penult {
namespace {

int open_retrying(const std::string& path, int flags, mode_t mode = 0) {
  int fd = -1;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

uint64_t random_number() {
  uint64_t number = 0;
  if (::getrandom(&number, sizeof number, GRND_NONBLOCK) == sizeof number) return number;
  // Uniqueness comes from O_EXCL; the number only makes a collision unlikely.
  return static_cast<uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

// A short name of its own: the target's may already be as long as a file system allows.
std::string temporary_beside(const std::string& path) {
  const std::string name = concat(".penult-", ::getpid(), "-", random_number(), ".tmp");
  return path.substr(0, path.rfind('/') + 1) + name;  // npos + 1 is 0: no folder given
}

// Opens a new file beside `path`, under `name`; -1 with errno.
int create_temporary(const std::string& path, int flags, mode_t mode, std::string& name) {
  constexpr int kTries = 16;
  int fd = -1;
  for (int i = 0; i < kTries && fd < 0; ++i) {
    name = temporary_beside(path);
    fd = open_retrying(name, flags | O_CREAT | O_EXCL, mode);
    if (fd < 0 && errno != EEXIST) break;
  }
  return fd;
}

// Gives the file `from` the name `to`, unless something has it: then -1 with EEXIST.
int rename_unless_taken(const char* from, const char* to) {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  // Some file systems (NFS) cannot do that, but can add a name, which is as safe.
  if (::link(from, to) != 0) return -1;
  ::unlink(from);
  return 0;
}

Status is_taken(const std::string& path) {
  return {StatusCode::kInvalidArgument,
          concat("cannot write ", quote(path),
                 ": there is a file of that name, which is to be kept; give another name")};
}

Status sync_folder(const std::string& folder) {
  const int fd = open_retrying(folder, O_RDONLY | O_DIRECTORY);
  if (fd < 0) return errno_status("cannot open the folder", folder);
  // Some file systems cannot sync a folder; then the rename is as durable as it gets.
  const bool synced = ::fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
  const Status status = synced ? Status() : errno_status("cannot sync the folder", folder);
  ::close(fd);
  return status;
}

}  // namespace

Status errno_status(const std::string& what, const std::string& path) {
  const int error = errno;
  StatusCode code = StatusCode::kIo;
  if (error == ENOENT || error == ENOTDIR) code = StatusCode::kNotFound;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) code = StatusCode::kNoSpace;
  return Status(code, concat(what, " ", quote(path), ": ", std::generic_category().message(error)));
}

Result<InputFile> InputFile::open(const std::string& path) {
  InputFile file;
  file.path_ = path;
  if (path.find('\0') != std::string::npos) {
    return Status(StatusCode::kNotFound, concat("cannot open ", quote(path), ": name has a NUL"));
  }
  file.fd_ = open_retrying(path, O_RDONLY | O_NONBLOCK);
  if (file.fd_ < 0) return errno_status("cannot open", path);
  struct stat info {};
  if (::fstat(file.fd_, &info) != 0) return errno_status("cannot examine", path);
  if (!S_ISREG(info.st_mode)) {
    return Status(StatusCode::kIo, concat("cannot read ", quote(path), ": expected a regular file",
                                          S_ISDIR(info.st_mode) ? ", got a folder" : ""));
  }
  file.size_ = static_cast<uint64_t>(info.st_size);
  return file;
}

InputFile::InputFile(InputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_), path_(std::move(other.path_)) {}

InputFile& InputFile::operator=(InputFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(size_, other.size_);
  std::swap(path_, other.path_);
  return *this;
}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status InputFile::read_at(uint64_t offset, std::span<uint8_t> dst) const {
  const auto end_of_offsets = static_cast<uint64_t>(std::numeric_limits<off_t>::max());
  while (!dst.empty()) {
    const bool inside = offset < end_of_offsets;
    const ssize_t got =
        inside ? ::pread(fd_, dst.data(), dst.size(), static_cast<off_t>(offset)) : 0;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_status("cannot read", path_);
    if (got == 0) {
      return Status(StatusCode::kIo, concat("cannot read ", quote(path_), ": expected ", dst.size(),
                                            " more bytes at offset ", offset,
                                            ", got none; file was truncated while in use"));
    }
    offset += static_cast<uint64_t>(got);
    dst = dst.subspan(static_cast<size_t>(got));
  }
  return Status();
}

void prefetch_file(const std::string& path) {
  // Without O_NONBLOCK a FIFO would wait for its writer; of what is no file nothing is opened.
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return;
  const int fd = open_retrying(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) return;
  static_cast<void>(::posix_fadvise(fd, 0, 0, POSIX_FADV_WILLNEED));
  ::close(fd);
}

Result<std::vector<uint8_t>> read_file(const std::string& path, uint64_t max_bytes) {
  PENULT_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  if (file.size() > max_bytes) {
    return Status(StatusCode::kLimitExceeded,
                  concat("cannot read ", quote(path), ": expected up to ", max_bytes,
                         " bytes, got ", file.size()));
  }
  std::vector<uint8_t> bytes;
  try {
    bytes.resize(file.size());
  } catch (const std::exception&) {  // bad_alloc or length_error
    return Status(StatusCode::kOutOfMemory,
                  concat("cannot read ", quote(path), ": no memory for ", file.size(), " bytes"));
  }
  PENULT_RETURN_IF_ERROR(file.read_at(0, bytes));
  return bytes;
}

Result<std::string> sha256_of_file(const std::string& path) {
  PENULT_ASSIGN_OR_RETURN(const InputFile file, InputFile::open(path));
  Sha256 hash;
  std::vector<uint8_t> chunk(size_t{1} << 18);
  for (uint64_t offset = 0; offset < file.size(); offset += chunk.size()) {
    chunk.resize(std::min<uint64_t>(chunk.size(), file.size() - offset));
    PENULT_RETURN_IF_ERROR(file.read_at(offset, chunk));
    hash.update(chunk);
  }
  return hash.hex_digest();
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
}

Status OutputFile::write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno_status("cannot write", path_);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return Status();
}

Status OutputFile::write_at(uint64_t offset, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno_status("cannot write", path_);
    offset += static_cast<uint64_t>(put);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return Status();
}

Result<AtomicFile> AtomicFile::create(const std::string& path, Existing existing) {
  if (path.empty()) {
    return Status(StatusCode::kInvalidArgument, "cannot write: the file name is empty");
  }
  struct stat info {};
  // Renaming over a device or a folder would destroy it, or fail only at the very end.
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return Status(StatusCode::kInvalidArgument,
                  concat("cannot write ", quote(path),
                         ": it exists and is not a regular file; give another name"));
  }
  if (existing == Existing::kKept && ::lstat(path.c_str(), &info) == 0) return is_taken(path);
  AtomicFile file(path, existing);
  file.fd_ = create_temporary(path, O_WRONLY, 0666, file.temporary_);
  if (file.fd_ < 0) {
    file.temporary_.clear();  // nothing of ours to remove
    return errno_status("cannot write beside", path);
  }
  return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : OutputFile(std::move(other)),
      temporary_(std::exchange(other.temporary_, {})),
      existing_(other.existing_) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Status AtomicFile::reopen() {
  ::close(std::exchange(fd_, -1));
  fd_ = open_retrying(temporary_, O_WRONLY, 0);
  return fd_ < 0 ? errno_status("cannot reopen", temporary_) : Status();
}

Status AtomicFile::seal() {
  // A failed fsync may have dropped the data: the file is given up, never synced again.
  if (::fsync(fd_) != 0) return errno_status("cannot sync", path_);
  const int fd = std::exchange(fd_, -1);
  return ::close(fd) == 0 || errno == EINTR ? Status() : errno_status("cannot close", path_);
}

Status AtomicFile::commit() {
  if (fd_ >= 0) PENULT_RETURN_IF_ERROR(seal());
  const int renamed = existing_ == Existing::kKept
                          ? rename_unless_taken(temporary_.c_str(), path_.c_str())
                          : ::rename(temporary_.c_str(), path_.c_str());
  if (renamed != 0) {
    if (existing_ == Existing::kKept && errno == EEXIST) return is_taken(path_);
    return errno_status("cannot rename the finished file to", path_);
  }
  temporary_.clear();
  return sync_folder(folder_of(path_));
}

Result<SpoolFile> SpoolFile::create(const std::string& path) {
  SpoolFile file(path);
  file.fd_ = open_retrying(folder_of(path), O_RDWR | O_TMPFILE, 0600);
  if (file.fd_ >= 0) return file;
  return create_unlinked(path);
}

Result<SpoolFile> SpoolFile::create_unlinked(const std::string& path) {
  SpoolFile file(path);
  std::string name;
  file.fd_ = create_temporary(path, O_RDWR, 0600, name);
  if (file.fd_ < 0) return errno_status("cannot write beside", path);
  if (::unlink(name.c_str()) != 0) return errno_status("cannot unlink a file beside", path);
  return file;
}

Result<int> SpoolFile::release() {
  // NFS reports what it could not write when a descriptor is closed, be it a copy.
  const int copy = ::dup(fd_);
  if (copy < 0) return errno_status("cannot read back what was written for", path_);
  if (::close(copy) != 0 && errno != EINTR) return errno_status("cannot write", path_);
  if (::lseek(fd_, 0, SEEK_SET) != 0) {
    return errno_status("cannot read back what was written for", path_);
  }
  return std::exchange(fd_, -1);
}

}  // namespace penult
