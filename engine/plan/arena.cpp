#include "engine/plan/arena.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "engine/base/checked.h"

namespace penult {
namespace {

bool overlap_in_time(const Lifetime& a, const Lifetime& b) {
  return a.first <= b.last && b.first <= a.last;
}

bool is_lower(const Lifetime* a, const Lifetime* b) { return a->offset < b->offset; }

// The lowest offset at which `buffer` fits between the already placed ones of its time, which are
// sorted by offset.
uint64_t lowest_gap(const Lifetime& buffer, const std::vector<const Lifetime*>& placed) {
  uint64_t offset = 0;
  for (const Lifetime* other : placed) {
    if (!overlap_in_time(buffer, *other)) continue;
    if (offset + buffer.bytes <= other->offset) break;
    offset = std::max(offset, align_up(other->offset + other->bytes, 64));
  }
  return offset;
}

}  // namespace

uint64_t assign_offsets(std::span<Lifetime> buffers) {
  std::vector<size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return buffers[a].bytes > buffers[b].bytes; });
  std::vector<const Lifetime*> placed;
  uint64_t total = 0;
  for (const size_t index : order) {
    Lifetime& buffer = buffers[index];
    buffer.offset = lowest_gap(buffer, placed);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), &buffer, is_lower), &buffer);
    total = std::max(total, buffer.offset + buffer.bytes);
  }
  return align_up(total, 64);
}

}  // namespace penult
