#include "kernels/cuda/emulated/checker.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace penult::gpu::emulated {
namespace {

// Flags of a byte.
constexpr uint8_t kInside = 1, kInitialised = 2, kInFlight = 4;

// A stamp: epoch (38 bits), thread (10), warp epoch (13), and of a writer whether it was atomic, of
// a reader who else has read since the last write. Warp epochs may wrap: that they differ is what
// counts, and only within one epoch.
constexpr uint64_t kAtomicWriter = 1;
constexpr uint64_t kManyLanes = 1;   // others of its warp in the same warp epoch
constexpr uint64_t kManyWarps = 2;   // in the same epoch
constexpr uint64_t kManyBlocks = 4;  // in the same launch

uint64_t make_stamp(uint64_t epoch, Actor actor) {
  return epoch << 26 | uint64_t{actor.thread & 1023U} << 16 |
         uint64_t{actor.warp_epoch & 0x1fffU} << 3;
}
uint64_t epoch_of(uint64_t stamp) { return stamp >> 26; }
uint64_t thread_of(uint64_t stamp) { return stamp >> 16 & 1023; }
uint64_t warp_of(uint64_t stamp) { return stamp >> 21 & 31; }
uint64_t warp_epoch_of(uint64_t stamp) { return stamp >> 3 & 0x1fff; }

// Fresh pages of zeros: of large regions only what is accessed costs memory.
void* zeros(size_t count, size_t size) {
  void* p = std::calloc(count, size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

Region::Region(unsigned char* begin, size_t bytes, bool shared)
    : begin_(begin),
      bytes_(bytes),
      shared_(shared),
      flags_(static_cast<uint8_t*>(zeros(bytes, 1)), std::free),
      cells_(static_cast<Cell*>(zeros(bytes, sizeof(Cell))), std::free) {}

void Region::enclose(size_t offset, size_t bytes) {
  std::memset(flags_.get() + offset, kInside, bytes);
}

void Region::exclude_all() { std::memset(flags_.get(), 0, bytes_); }

std::string Region::describe(size_t offset) const {
  if (shared_) return "byte " + std::to_string(offset) + " of shared memory";
  const auto inside = static_cast<int64_t>(offset) - static_cast<int64_t>(Checker::kRedZone);
  return "byte " + std::to_string(inside) + " of an allocation of " +
         std::to_string(bytes_ - 2 * Checker::kRedZone);
}

Checker& Checker::instance() {
  // Never destroyed: memory may be released by static objects of others.
  static auto* checker = new Checker;
  return *checker;
}

Error Checker::allocate(void** p, size_t bytes) {
  const size_t rounded = (bytes + kRedZone - 1) / kRedZone * kRedZone;
  auto* begin = static_cast<unsigned char*>(std::aligned_alloc(kRedZone, rounded + 2 * kRedZone));
  if (begin == nullptr) return kOutOfMemory;
  try {
    auto region = std::make_unique<Region>(begin, bytes + 2 * kRedZone, false);
    region->enclose(kRedZone, bytes);
    std::memset(begin, 0xff, rounded + 2 * kRedZone);  // NaN of all types
    const std::lock_guard lock(mutex_);
    const auto at = std::lower_bound(
        regions_.begin(), regions_.end(), begin,
        [](const auto& other, const unsigned char* b) { return other->begin() < b; });
    regions_.insert(at, std::move(region));
  } catch (const std::bad_alloc&) {
    std::free(begin);
    return kOutOfMemory;
  }
  *p = begin + kRedZone;
  return 0;
}

bool Checker::release(void* p) {
  const std::lock_guard lock(mutex_);
  const auto* begin = static_cast<unsigned char*>(p) - kRedZone;
  const auto at = std::find_if(regions_.begin(), regions_.end(),
                               [&](const auto& region) { return region->begin() == begin; });
  if (at == regions_.end()) return false;
  std::fill(std::begin(recent_), std::end(recent_), nullptr);
  std::free((*at)->begin());
  regions_.erase(at);
  return true;
}

Region* Checker::search(const void* p) const {
  const auto* byte = static_cast<const unsigned char*>(p);
  const auto after = std::upper_bound(
      regions_.begin(), regions_.end(), byte,
      [](const unsigned char* b, const auto& other) { return b < other->begin(); });
  if (after == regions_.begin()) return nullptr;
  Region* region = std::prev(after)->get();
  return region->contains(p) ? region : nullptr;
}

Error Checker::copies(void* dst, const void* src, size_t bytes) {
  const std::lock_guard lock(mutex_);
  Region* to = search(dst);
  Region* from = search(src);
  const auto flags = [](Region* region, const void* p) {
    return region->flags_.get() + (static_cast<const unsigned char*>(p) - region->begin());
  };
  const auto have = [bytes](const uint8_t* first, uint8_t flag) {
    return std::all_of(first, first + bytes, [flag](uint8_t f) { return (f & flag) != 0; });
  };
  for (const auto& [region, p] : {std::pair<Region*, const void*>{to, dst}, {from, src}}) {
    if (region == nullptr) continue;
    const auto offset = static_cast<size_t>(static_cast<const unsigned char*>(p) - region->begin());
    if (bytes <= region->bytes() - offset && have(flags(region, p), kInside)) continue;
    add_report(Kind::kOutOfBounds, "copy of " + std::to_string(bytes) + " bytes, " +
                                       (region == to ? "to " : "from ") + region->describe(offset));
    return kInvalidValue;
  }
  if (to != nullptr && from != nullptr) {
    std::memmove(flags(to, dst), flags(from, src), bytes);
  } else if (to != nullptr) {
    std::memset(flags(to, dst), kInside | kInitialised, bytes);
  } else if (from != nullptr && !have(flags(from, src), kInitialised)) {
    const auto offset = static_cast<size_t>(static_cast<const unsigned char*>(src) - from->begin());
    add_report(Kind::kUninitialised, "copy of " + std::to_string(bytes) +
                                         " bytes to the host, from " + from->describe(offset));
    return kLaunchFailed;
  }
  return 0;
}

void Checker::begin_launch(Region* shared) {
  shared_ = shared;
  launch_first_ = ++epoch_;
}

Region* Checker::find(const void* p) {
  if (shared_->contains(p)) return shared_;
  Region*& recent = recent_[reinterpret_cast<uintptr_t>(p) >> 12 & 63];
  if (recent != nullptr && recent->contains(p)) return recent;
  Region* region = search(p);
  if (region != nullptr) recent = region;
  return region;
}

bool Checker::check_flags(Region& region, size_t offset, size_t bytes, Access access,
                          Finding* finding) {
  *finding = {Kind::kOutOfBounds, &region, offset, -1};
  if (bytes > region.bytes_ - offset) return false;
  uint8_t* flags = region.flags_.get() + offset;
  uint8_t all = 0xff, any = 0;
  for (size_t i = 0; i < bytes; ++i) {
    all &= flags[i];
    any |= flags[i];
  }
  if ((all & kInside) == 0) return false;
  if (access == Access::kBounds) return true;
  // What is wrong with the memory is repaired: one cause, one report.
  const bool writes = access == Access::kWrite;
  const bool uninitialised = !writes && (all & kInitialised) == 0;
  if ((any & kInFlight) != 0 || (all & kInitialised) == 0)
    std::memset(flags, kInside | kInitialised, bytes);
  if ((any & kInFlight) != 0) {
    finding->kind = Kind::kInFlight;
    return false;
  }
  if (uninitialised) finding->kind = Kind::kUninitialised;
  return !uninitialised;
}

bool Checker::conflicts(uint64_t old, const Step& step) const {
  const uint64_t epoch = epoch_of(old);
  if (epoch < step.first) return false;
  if (epoch < block_first_) return true;
  if (epoch != epoch_ || thread_of(old) == thread_of(step.stamp)) return false;
  return warp_of(old) != warp_of(step.stamp) || warp_epoch_of(old) == warp_epoch_of(step.stamp);
}

// The stamp of an access that is not ordered with this one, or 0.
uint64_t Checker::conflict(const Region::Cell& cell, const Step& step) const {
  if (conflicts(cell.writer, step) && !(step.atomic && (cell.writer & kAtomicWriter) != 0))
    return cell.writer;
  const uint64_t reader = cell.reader;
  if (!step.writes || epoch_of(reader) < step.first) return 0;
  if (conflicts(reader, step) || (reader & kManyBlocks) != 0) return reader;
  if (epoch_of(reader) != epoch_) return 0;
  if ((reader & kManyWarps) != 0) return reader;
  const bool lanes = (reader & kManyLanes) != 0;
  return lanes && warp_epoch_of(reader) == warp_epoch_of(step.stamp) ? reader : 0;
}

void Checker::mark(Region::Cell& cell, const Step& step) const {
  if (step.writes) {
    // Readers before are ordered before the write, and need not be remembered.
    cell = {step.stamp | (step.atomic ? kAtomicWriter : 0), 0};
    return;
  }
  if (step.atomic) return;  // what would conflict with it is a plain write: rare enough
  const uint64_t old = cell.reader;
  uint64_t many = 0;
  if (epoch_of(old) >= step.first) {
    many = epoch_of(old) < block_first_ ? kManyBlocks : old & kManyBlocks;
    if (epoch_of(old) == epoch_) {
      many |= old & kManyWarps;
      if (warp_of(old) != warp_of(step.stamp)) {
        many |= kManyWarps;
      } else if (warp_epoch_of(old) == warp_epoch_of(step.stamp)) {
        many |= thread_of(old) == thread_of(step.stamp) ? old & kManyLanes : kManyLanes;
      }
    }
  }
  cell.reader = step.stamp | many;
}

bool Checker::access(Region& region, const void* p, size_t bytes, Access access, Actor actor,
                     Finding* finding) {
  const auto offset = static_cast<size_t>(static_cast<const unsigned char*>(p) - region.begin_);
  const bool well = check_flags(region, offset, bytes, access, finding);
  if (access == Access::kBounds || (!well && finding->kind == Kind::kOutOfBounds)) return well;
  const Step step = {.stamp = make_stamp(epoch_, actor),
                     .first = region.shared_ ? block_first_ : launch_first_,
                     .writes = access == Access::kWrite || access == Access::kAtomicUpdate,
                     .atomic = access == Access::kAtomicRead || access == Access::kAtomicUpdate};
  uint64_t other = 0;
  Region::Cell before = {}, after = {};
  for (size_t i = offset; i < offset + bytes; ++i) {
    Region::Cell& cell = region.cells_[i];
    // Bytes of a number mostly have the same past.
    if (i == offset || cell.writer != before.writer || cell.reader != before.reader) {
      before = after = cell;
      if (const uint64_t found = conflict(cell, step)) {
        other = found;
        after = {};  // one cause, one report
      }
      mark(after, step);
    }
    cell = after;
  }
  if (!well || other == 0) return well;
  finding->kind = Kind::kRace;
  finding->other_thread = static_cast<int64_t>(thread_of(other));
  return false;
}

void Checker::set_in_flight(Region& region, const void* p, size_t bytes, bool in_flight) {
  const auto offset = static_cast<size_t>(static_cast<const unsigned char*>(p) - region.begin_);
  for (size_t i = offset; i < std::min(offset + bytes, region.bytes_); ++i) {
    uint8_t& flag = region.flags_[i];
    flag = static_cast<uint8_t>(in_flight ? flag | kInFlight : flag & ~kInFlight);
  }
}

}  // namespace penult::gpu::emulated
