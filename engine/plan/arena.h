#pragma once

#include <cstdint>
#include <span>

namespace penult {

// A buffer's size and the steps, first to last inclusive, during which it must not be overwritten.
struct Lifetime {
  uint64_t bytes = 0;
  int first = 0, last = 0;
  uint64_t offset = 0;  // set by assign_offsets, a multiple of 64
};

// Gives buffers offsets so that no two that live at the same time overlap; the largest are placed
// first, each in the lowest gap that fits. Returns the arena's size in bytes.
uint64_t assign_offsets(std::span<Lifetime> buffers);

}  // namespace penult
