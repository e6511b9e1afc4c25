#pragma once

// Shadow memory: what is known of each byte that kernels may touch, and of the last accesses to it.
//
// Two accesses of one launch, one of them a write, are ordered if the same thread does both, if a
// barrier of the block lies between them, or a sync_warp() if both threads are of one warp; never
// if they are of different blocks. (Shuffles and mma order nothing.) Unordered ones are races,
// atomic pairs excepted. Launches follow each other.
//
// Blocks run one after the other, so that barriers and blocks may be counted together: an access is
// stamped with that count, the epoch. One checked launch runs at a time, holding mutex().

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "kernels/cuda/emulated/emulator.h"

namespace penult::gpu::emulated {

// Who: a thread of the running block, and how often its warp has synchronised.
struct Actor {
  uint32_t thread, warp_epoch;
};

enum class Access {
  kRead,
  kWrite,
  kAtomicRead,
  kAtomicUpdate,
  kBounds,  // is only pointed to
};

class Region;

struct Finding {
  Kind kind;
  const Region* region;
  size_t offset;
  int64_t other_thread;  // of a race: of that or another block; else -1
};

// Memory with a shadow: one allocation with its red zones, or the shared memory of a block.
class Region {
 public:
  // Throws std::bad_alloc. All bytes are red zone until enclose().
  Region(unsigned char* begin, size_t bytes, bool shared);

  unsigned char* begin() const { return begin_; }
  size_t bytes() const { return bytes_; }
  bool contains(const void* p) const {
    return static_cast<size_t>(static_cast<const unsigned char*>(p) - begin_) < bytes_;
  }
  // [offset, offset + bytes) may be accessed, and nobody has written there.
  void enclose(size_t offset, size_t bytes);
  void exclude_all();
  // "offset 12 of shared memory"
  std::string describe(size_t offset) const;

 private:
  friend class Checker;
  struct Cell {
    uint64_t writer, reader;  // stamps (checker.cpp); 0: none
  };
  template <class T>
  using Zeros = std::unique_ptr<T[], void (*)(void*)>;

  unsigned char* begin_;
  size_t bytes_;
  bool shared_;
  Zeros<uint8_t> flags_;  // of each byte
  Zeros<Cell> cells_;
};

class Checker {
 public:
  static constexpr size_t kRedZone = 256;

  static Checker& instance();
  std::mutex& mutex() { return mutex_; }

  // For the host; these lock.
  Error allocate(void** p, size_t bytes);
  bool release(void* p);  // false: not from allocate()
  // To be asked before copies of the host, in any direction. What is copied into device memory is
  // as initialised there as it was. An error has been reported.
  Error copies(void* dst, const void* src, size_t bytes);

  // For a launch, which holds mutex().
  void begin_launch(Region* shared);
  void begin_block() { block_first_ = ++epoch_; }
  void pass_barrier() { ++epoch_; }
  Region* find(const void* p);  // null: not memory of the device
  // Whether all is well; else once for each cause, with *finding filled in.
  bool access(Region& region, const void* p, size_t bytes, Access access, Actor actor,
              Finding* finding);
  void set_in_flight(Region& region, const void* p, size_t bytes, bool in_flight);

 private:
  // Shorter names for what access() passes on.
  struct Step {
    uint64_t stamp, first;  // first: epochs before it are over
    bool writes, atomic;
  };
  static bool check_flags(Region& region, size_t offset, size_t bytes, Access access,
                          Finding* finding);
  uint64_t conflict(const Region::Cell& cell, const Step& step) const;
  bool conflicts(uint64_t old, const Step& step) const;
  void mark(Region::Cell& cell, const Step& step) const;
  Region* search(const void* p) const;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Region>> regions_;  // by address
  Region* recent_[64] = {};                       // by a few bits of the address
  Region* shared_ = nullptr;
  uint64_t epoch_ = 0, launch_first_ = 0, block_first_ = 0;
};

}  // namespace penult::gpu::emulated
