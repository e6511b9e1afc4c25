#include "tools/fetch/part_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/base/text.h"

namespace penult::fetch {
namespace {

constexpr size_t kMaxTagBytes = 256;

// It will be a line of a request.
bool is_strong_tag(const std::string& tag) {
  const auto is_fit = [](char c) { return c > ' ' && c < 0x7f; };
  return tag.size() > 2 && tag.size() <= kMaxTagBytes && tag.front() == '"' && tag.back() == '"' &&
         std::all_of(tag.begin(), tag.end(), is_fit);
}

}  // namespace

PartFile::PartFile(const std::string& path)
    : path_(path), part_(path + ".part"), tag_path_(path + ".part.etag") {}

PartFile::PartFile(PartFile&& other) noexcept
    : path_(std::move(other.path_)),
      part_(std::move(other.part_)),
      tag_path_(std::move(other.tag_path_)),
      tag_(std::move(other.tag_)),
      fd_(std::exchange(other.fd_, -1)),
      size_(other.size_) {}

PartFile::~PartFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<bool> PartFile::lock() {
  fd_ = ::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
  if (fd_ < 0) return errno_status("cannot open", part_);
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_status("cannot lock", part_);
    return Status(StatusCode::kBusy,
                  concat(quote(part_), ": another process is writing it; wait for that one"));
  }
  // Whoever held it until now may have given it its final name, or removed it.
  struct stat ours {
  }, named{};
  if (::fstat(fd_, &ours) != 0) return errno_status("cannot examine", part_);
  if (!S_ISREG(ours.st_mode)) {
    return Status(StatusCode::kIo, concat(quote(part_), ": expected a regular file"));
  }
  size_ = static_cast<uint64_t>(ours.st_size);
  return ::lstat(part_.c_str(), &named) == 0 && named.st_ino == ours.st_ino &&
         named.st_dev == ours.st_dev;
}

Result<PartFile> PartFile::open(const std::string& path) {
  constexpr int kTries = 16;
  for (int i = 0; i < kTries; ++i) {
    PartFile file(path);
    PENULT_ASSIGN_OR_RETURN(const bool locked, file.lock());
    if (!locked) continue;
    std::ifstream in(file.tag_path_, std::ios::binary);
    std::string tag(kMaxTagBytes + 1, '\0');
    in.read(tag.data(), static_cast<std::streamsize>(tag.size()));
    tag.resize(static_cast<size_t>(in.gcount()));
    if (is_strong_tag(tag)) file.tag_ = tag;
    return file;
  }
  return Status(StatusCode::kBusy, concat(quote(path), ": other processes keep replacing it"));
}

void PartFile::set_tag(const std::string& tag) {
  tag_ = is_strong_tag(tag) ? tag : "";
  ::unlink(tag_path_.c_str());
  // If it does not arrive, the next process asks without it.
  if (!tag_.empty()) std::ofstream(tag_path_, std::ios::binary) << tag_;
}

Status PartFile::append(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno_status("cannot write", part_);
    size_ += static_cast<uint64_t>(put);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
  return {};
}

Status PartFile::restart() {
  set_tag("");
  if (::ftruncate(fd_, 0) != 0) return errno_status("cannot empty", part_);
  size_ = 0;
  return {};
}

Result<std::string> PartFile::sha256() const { return sha256_of_file(part_); }

Status PartFile::finish() {
  // Else a crash could leave the final name on a file with holes.
  if (::fsync(fd_) != 0) return errno_status("cannot write", part_);
  if (::rename(part_.c_str(), path_.c_str()) != 0) return errno_status("cannot rename", part_);
  ::unlink(tag_path_.c_str());
  return {};
}

void PartFile::discard() {
  ::unlink(part_.c_str());
  ::unlink(tag_path_.c_str());
}

}  // namespace penult::fetch
