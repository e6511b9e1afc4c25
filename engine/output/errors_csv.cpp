#include "engine/base/check.h"
#include "engine/base/file.h"
#include "engine/output/feature_writer.h"
#include "engine/output/text.h"

namespace penult {

Result<AtomicFile> stage_errors_csv(std::span<const FailedInput> failures, const std::string& path,
                                    Existing existing) {
  std::string text = "path,code,reason\r\n";
  for (const FailedInput& failure : failures) {
    text += csv_field(failure.path) + "," + status_code_name(failure.code) + "," +
            csv_field(failure.reason) + "\r\n";
  }
  PENULT_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::create(path, existing));
  PENULT_RETURN_IF_ERROR(file.write(text.data(), text.size()));
  return file;
}

}  // namespace penult
