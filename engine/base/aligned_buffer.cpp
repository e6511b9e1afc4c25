#include "engine/base/aligned_buffer.h"

#include <sys/mman.h>

#include "engine/base/text.h"

namespace penult {
namespace {

// Weights are read as long streams, and hardware prefetchers stop at the end of a page; a page
// table for 4 KiB pages of 100 MB does not fit the TLB either.
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kWorthHugePages = 2 * kHugePage;

}  // namespace

Result<AlignedBuffer> AlignedBuffer::allocate(size_t bytes) {
  AlignedBuffer buffer;
  const size_t alignment = bytes >= kWorthHugePages ? kHugePage : kAlignment;
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  if (rounded < bytes) return Status(StatusCode::kOutOfMemory, "buffer size overflows");
  if (rounded != 0) {
    buffer.data_.reset(static_cast<std::byte*>(std::aligned_alloc(alignment, rounded)));
    if (!buffer.data_) {
      return Status(StatusCode::kOutOfMemory, concat("cannot allocate ", rounded, " bytes"));
    }
  }
  // Whole ones, so that no memory is taken that was not asked for. Where it fails, pages are small.
  if (alignment == kHugePage) {
    static_cast<void>(::madvise(buffer.data_.get(), bytes / kHugePage * kHugePage, MADV_HUGEPAGE));
  }
  buffer.bytes_ = bytes;
  return buffer;
}

}  // namespace penult
