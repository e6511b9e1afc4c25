#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/output/feature_writer.h"

namespace penult {
namespace {

// RFC 4180: a field with a comma, quote or line break stands in quotes, quotes doubled.
std::string field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace

Result<AtomicFile> stage_errors_csv(std::span<const FailedInput> failures,
                                    const std::string& path) {
  std::string text = "path,code,reason\r\n";
  for (const FailedInput& failure : failures) {
    text += field(failure.path) + "," + status_code_name(failure.code) + "," +
            field(failure.reason) + "\r\n";
  }
  PENULT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path));
  PENULT_RETURN_IF_ERROR(file.write(text.data(), text.size()));
  return file;
}

}  // namespace penult
