#include "tools/penult/outcome.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "engine/base/text.h"
#include "tools/penult/signals.h"

namespace penult::program {
namespace {

int exit_of(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return kExitOk;
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
      return kExitUsage;
    case StatusCode::kIo:
    case StatusCode::kNoSpace:
      return kExitIo;
    case StatusCode::kLimitExceeded:
    case StatusCode::kFormatCorrupt:
    case StatusCode::kFormatUnsupported:
    case StatusCode::kVersionTooNew:
    case StatusCode::kChecksumMismatch:
    case StatusCode::kModelInvalid:
    case StatusCode::kImageCorrupt:
    case StatusCode::kImageUnsupported:
    case StatusCode::kDevice:
    case StatusCode::kBusy:
      return kExitRefused;
    case StatusCode::kCancelled:
      return 128 + pending_signal();
    case StatusCode::kOutOfMemory:
    case StatusCode::kInternal:
      break;
  }
  return kExitInternal;
}

}  // namespace

Outcome::Outcome(Status s) : status(std::move(s)), exit(exit_of(status.code())) {}

Outcome of_file(Status status) {
  const int exit = status.code() == StatusCode::kNotFound ? int{kExitIo} : exit_of(status.code());
  return {exit, std::move(status)};
}

Status check_output(const std::string& path, bool force) {
  struct stat info {};
  if (!force && ::lstat(path.c_str(), &info) == 0) {
    return {StatusCode::kInvalidArgument,
            concat(quote(path), " exists already; give --force to replace it")};
  }
  if (::lstat(path.c_str(), &info) != 0 && errno == ENAMETOOLONG) {
    return {StatusCode::kIo, concat("cannot write ", quote(path), ": the name is too long")};
  }
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return {StatusCode::kInvalidArgument,
            concat(quote(path), " exists and is not a regular file; give another name")};
  }
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  if (::access(folder.c_str(), W_OK | X_OK) == 0) return {};
  const std::string why = std::generic_category().message(errno);
  return {StatusCode::kIo,
          concat("cannot write ", quote(path), ": its folder ", quote(folder), ": ", why)};
}

}  // namespace penult::program
