#include "tests/kernels/guarded_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "engine/base/checked.h"

namespace penult::testing {

GuardedBuffer::GuardedBuffer(size_t bytes, Flush flush) : bytes_(align_up(bytes, 64)) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t inner = align_up(bytes_, page);
  mapped_bytes_ = inner + 2 * page;
  void* mapping = mmap(nullptr, mapped_bytes_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<std::byte*>(mapping);
  if (inner != 0 && mprotect(mapping_ + page, inner, PROT_READ | PROT_WRITE) != 0)
    throw std::bad_alloc();
  data_ = mapping_ + page + (flush == Flush::kEnd ? inner - bytes_ : 0);
}

GuardedBuffer::~GuardedBuffer() { munmap(mapping_, mapped_bytes_); }

}  // namespace penult::testing
