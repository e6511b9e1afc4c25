#pragma once

#include <cstdint>

namespace penult::testing {

// Calls of the C allocator by all threads of this program, operator new included, and the bytes
// that were asked for.
struct AllocationCount {
  uint64_t calls = 0, bytes = 0;
};
AllocationCount allocation_count();

// False where a sanitizer owns the allocator: nothing is counted then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kCountsAllocations = false;
#else
inline constexpr bool kCountsAllocations = true;
#endif

}  // namespace penult::testing
