#include "converters/onnx/external_data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

#include "converters/onnx/onnx_file.pb.h"
#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

// Where a tensor lies.
struct Place {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

Status corrupt(std::string message) {
  return Status(StatusCode::kFormatCorrupt, std::move(message));
}

Result<uint64_t> number_of(const onnx_file::Entry& entry) {
  const std::string& text = entry.value();
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return number;
  return corrupt(concat("the ", quote(entry.key()), " of its external data is ", quote(text),
                        ", expected a number of bytes"));
}

Result<Place> place_of(const onnx_file::Tensor& tensor) {
  Place place;
  bool has_location = false, has_offset = false;
  for (const onnx_file::Entry& entry : tensor.external_data()) {
    const bool again = (entry.key() == "location" && std::exchange(has_location, true)) ||
                       (entry.key() == "offset" && std::exchange(has_offset, true)) ||
                       (entry.key() == "length" && place.length.has_value());
    if (again) return corrupt(concat("its external data has two entries ", quote(entry.key())));
    if (entry.key() == "location") place.location = entry.value();
    if (entry.key() == "offset") {
      PENULT_ASSIGN_OR_RETURN(place.offset, number_of(entry));
    }
    if (entry.key() == "length") {
      PENULT_ASSIGN_OR_RETURN(place.length, number_of(entry));
    }
  }
  if (!has_location) return corrupt("its external data names no file");
  return place;
}

bool is_plain_file_name(const std::string& name) {
  return is_valid_name(name) && name != "." && name != ".." &&
         name.find_first_of("/\\") == std::string::npos;
}

// A regular file, opened without following a link.
class DataFile {
 public:
  static Result<DataFile> open(const std::string& path) {
    DataFile file;
    do {
      file.fd_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    } while (file.fd_ < 0 && errno == EINTR);
    if (file.fd_ < 0 && errno == ELOOP) {
      return Status(
          StatusCode::kFormatUnsupported,
          concat("its external data ", quote(path),
                 " is a symbolic link, which is not followed; put the file itself there"));
    }
    if (file.fd_ < 0) return failure("cannot open", path);
    if (::fstat(file.fd_, &file.info_) != 0) return failure("cannot examine", path);
    if (S_ISREG(file.info_.st_mode)) return file;
    return Status(StatusCode::kIo,
                  concat("cannot read ", quote(path), ": expected a regular file"));
  }
  DataFile(DataFile&& other) noexcept : fd_(std::exchange(other.fd_, -1)), info_(other.info_) {}
  DataFile& operator=(DataFile&&) = delete;
  ~DataFile() {
    if (fd_ >= 0) ::close(fd_);
  }

  uint64_t size() const { return static_cast<uint64_t>(info_.st_size); }
  std::pair<uint64_t, uint64_t> identity() const { return {info_.st_dev, info_.st_ino}; }

  // `path` for messages.
  Status read_at(uint64_t offset, std::vector<uint8_t>& bytes, const std::string& path) const {
    for (size_t at = 0; at < bytes.size();) {
      const ssize_t got =
          ::pread(fd_, bytes.data() + at, bytes.size() - at, static_cast<off_t>(offset + at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return failure("cannot read", path);
      if (got == 0) {
        return Status(StatusCode::kIo,
                      concat("cannot read ", quote(path), ": file was truncated while in use"));
      }
      at += static_cast<size_t>(got);
    }
    return {};
  }

 private:
  DataFile() = default;
  static Status failure(const char* what, const std::string& path) {
    const StatusCode code = errno == ENOENT ? StatusCode::kNotFound : StatusCode::kIo;
    const std::string reason = std::generic_category().message(errno);
    return Status(code, concat(what, " ", quote(path), ": ", reason));
  }

  int fd_ = -1;
  struct stat info_ {};
};

}  // namespace

// npos + 1 is 0: a path without a folder.
ExternalData::ExternalData(const std::string& model_path, bool allowed)
    : folder_(model_path.substr(0, model_path.rfind('/') + 1)), allowed_(allowed) {}

Result<std::vector<uint8_t>> ExternalData::read(const onnx_file::Tensor& tensor, uint64_t bytes) {
  PENULT_ASSIGN_OR_RETURN(const Place place, place_of(tensor));
  if (!allowed_) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("its numbers lie in another file, ", quote(place.location),
                         ", which is read only when asked to: give --external-data, or export with "
                         "external_data=False"));
  }
  if (!is_plain_file_name(place.location)) {
    return Status(StatusCode::kFormatUnsupported,
                  concat("its external data lies at ", quote(place.location),
                         ", expected the plain name of a file beside the model"));
  }
  if (place.length && *place.length != bytes) {
    return corrupt(concat("its external data has ", *place.length, " bytes, expected ", bytes));
  }
  const std::string path = folder_ + place.location;
  PENULT_ASSIGN_OR_RETURN(const DataFile file, DataFile::open(path));
  const auto end = checked_add(place.offset, bytes);
  if (!end || *end > file.size()) {
    return corrupt(concat("its ", bytes, " bytes at ", place.offset, " of ", quote(path),
                          " are outside that file of ", file.size(), " bytes; was it truncated?"));
  }
  uint64_t& used = used_[file.identity()];
  if (bytes > file.size() - used) {
    return Status(StatusCode::kLimitExceeded,
                  concat("with it the tensors in ", quote(path), " have more than its ",
                         file.size(), " bytes; they overlap"));
  }
  used += bytes;
  std::vector<uint8_t> numbers(bytes);
  PENULT_RETURN_IF_ERROR(file.read_at(place.offset, numbers, path));
  files_.insert(place.location);
  return numbers;
}

}  // namespace penult::converters::onnx
