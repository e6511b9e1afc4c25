#include "engine/base/aligned_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult {
namespace {

// Weights are read as long streams, and hardware prefetchers stop at the end of a page; a page
// table for 4 KiB pages of 100 MB does not fit the TLB either.
constexpr size_t kHugePage = size_t{2} << 20;
constexpr size_t kWorthHugePages = 2 * kHugePage;

// Mapped memory that starts at a huge page; null if there is none.
std::byte* map_huge_pages(size_t bytes) {
  void* const mapped = ::mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const begin = static_cast<std::byte*>(mapped);
  const size_t before =
      align_up(reinterpret_cast<uintptr_t>(begin), kHugePage) - reinterpret_cast<uintptr_t>(begin);
  if (before != 0) ::munmap(begin, before);
  ::munmap(begin + before + bytes, kHugePage - before);
  // Whole ones, so that no memory is taken that was not asked for. Where it fails, pages are small.
  static_cast<void>(::madvise(begin + before, bytes / kHugePage * kHugePage, MADV_HUGEPAGE));
  return begin + before;
}

}  // namespace

void AlignedBuffer::Free::operator()(std::byte* p) const {
  if (mapped_bytes == 0) return std::free(p);
  ::munmap(p, mapped_bytes);
}

Result<AlignedBuffer> AlignedBuffer::allocate(size_t bytes) {
  AlignedBuffer buffer;
  const bool is_large = bytes >= kWorthHugePages;
  const size_t page = is_large ? static_cast<size_t>(::sysconf(_SC_PAGESIZE)) : kAlignment;
  if (bytes > SIZE_MAX - page - kHugePage) {
    return Status(StatusCode::kOutOfMemory, "buffer size overflows");
  }
  const size_t rounded = align_up(bytes, page);
  if (rounded != 0) {
    std::byte* const data = is_large
                                ? map_huge_pages(rounded)
                                : static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
    buffer.data_ = {data, Free{is_large ? rounded : 0}};
    if (!buffer.data_) {
      return Status(StatusCode::kOutOfMemory, concat("cannot allocate ", rounded, " bytes"));
    }
  }
  buffer.bytes_ = bytes;
  return buffer;
}

}  // namespace penult
