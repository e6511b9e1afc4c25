#include "engine/output/buffered_writer.h"

#include "engine/base/check.h"

namespace penult {

Status BufferedWriter::write(const void* data, size_t bytes) {
  if (waiting_.size() + bytes > bytes_) PENULT_RETURN_IF_ERROR(flush());
  if (bytes >= bytes_) return file_.write(data, bytes);
  if (waiting_.capacity() < bytes_) waiting_.reserve(bytes_);
  const auto* from = static_cast<const uint8_t*>(data);
  waiting_.insert(waiting_.end(), from, from + bytes);
  return {};
}

Status BufferedWriter::flush() {
  PENULT_RETURN_IF_ERROR(file_.write(waiting_));
  waiting_.clear();
  return {};
}

}  // namespace penult
