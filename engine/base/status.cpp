#include "penult/status.h"

#include <array>

#include "engine/base/text.h"
#include "penult/version.h"

namespace penult {
namespace {

constexpr std::array<const char*, 18> kNames = {"Ok",
                                                "InvalidArgument",
                                                "NotFound",
                                                "Io",
                                                "NoSpace",
                                                "OutOfMemory",
                                                "LimitExceeded",
                                                "FormatCorrupt",
                                                "FormatUnsupported",
                                                "VersionTooNew",
                                                "ChecksumMismatch",
                                                "ModelInvalid",
                                                "ImageCorrupt",
                                                "ImageUnsupported",
                                                "Device",
                                                "Cancelled",
                                                "Busy",
                                                "Internal"};

}  // namespace

const char* status_code_name(StatusCode code) {
  const auto index = static_cast<size_t>(code);
  return index < kNames.size() ? kNames[index] : "Unknown";
}

std::string Status::to_string() const {
  if (ok()) return "Ok";
  return std::string(status_code_name(code_)) + ": " + message_;
}

const char* version() {
#define PENULT_STRING_INNER(x) #x
#define PENULT_STRING(x) PENULT_STRING_INNER(x)
  return PENULT_STRING(PENULT_VERSION_MAJOR) "." PENULT_STRING(
      PENULT_VERSION_MINOR) "." PENULT_STRING(PENULT_VERSION_PATCH);
}

}  // namespace penult
