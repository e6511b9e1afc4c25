#pragma once

// Runs the blocks of a launch: who of a block's threads goes on when one has to wait, and what the
// running one asks for. One for each thread of the operating system.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/cuda/emulated/checker.h"
#include "kernels/cuda/emulated/device_code.h"
#include "kernels/cuda/emulated/emulator.h"
#include "kernels/cuda/emulated/fibers.h"
#include "kernels/cuda/emulated/shared_memory.h"

namespace penult::gpu::emulated {

inline constexpr unsigned kWarp = 32, kMaxThreads = 1024, kMaxWarps = kMaxThreads / kWarp;

struct Launch {
  Dim3 grid, block;
  size_t shared_bytes;
  const std::function<void()>& body;
  Options options;
  Checker* checker;  // null: unchecked
};

// What the lanes of a warp do together.
enum class WarpOp { kNone, kSync, kShuffleXor, kShuffleDown, kLdmatrix, kMma };

// Of one thread: copies that it has begun and not yet waited for.
struct PendingCopies {
  struct Copy {
    void* shared;
    const void* global;
    bool valid;
    uint32_t group;
    const void* pc;
  };
  std::vector<Copy> copies;
  size_t done = 0;          // the first so many
  uint32_t next_group = 0;  // of copies from now on
};

class BlockRunner {
 public:
  // Throws std::bad_alloc.
  Error run(const Launch& launch);

  // For the thread that runs. Those that take a pc blame it.
  Dim3 thread_index() const { return threads_[running_].index; }
  Dim3 block_index() const { return block_index_; }
  const Launch& launch() const { return *launch_; }
  SharedMemory& shared() { return shared_; }
  PendingCopies& copies() { return threads_[running_].copies; }
  bool defers_copies() const { return checker_ != nullptr || launch_->options.lazy_copies; }
  bool checks() const { return checker_ != nullptr; }

  void sync_block();
  // Each lane brings a record; the last one calls combine() with the records of all 32.
  using Combine = void (*)(void* const* records, const Options& options);
  void together(WarpOp op, void* record, Combine combine, const void* pc);
  // Before the access is done: somebody else may go on meanwhile.
  void access(const void* p, size_t bytes, Access access, const void* pc);
  void check_access(const void* p, size_t bytes, Access access, const void* pc);
  void set_in_flight(const void* p, size_t bytes, bool in_flight);
  void report(Kind kind, std::string text, const void* pc);
  // Ends the launch: the threads of the block are left as they are.
  [[noreturn]] void give_up(Error error);

 private:
  struct Thread {
    Fiber* fiber;  // null: not yet begun
    Dim3 index;
    PendingCopies copies;
  };
  struct Warp {
    uint32_t ready, at_barrier;  // lanes
    uint32_t arrived;            // in what the lanes do together, which is:
    WarpOp op;
    uint32_t epoch;  // how often it has synchronised
    void* records[kWarp];
  };

  void run_grid(const Launch& launch);
  void run_block();
  static void fiber_main();
  void finish();
  void release_barrier();
  void wait_for_others(Warp& warp, uint32_t lane);
  unsigned first_ready() const;
  unsigned first_lane(uint32_t lanes) const;
  unsigned next_ready();
  unsigned random_bit(uint32_t mask);
  void go_on_with(unsigned thread);
  void start(unsigned thread);
  void report_deadlock();
  uint32_t random();

  static constexpr unsigned kNobody = ~0U;

  const Launch* launch_ = nullptr;
  Checker* checker_ = nullptr;
  SharedMemory shared_;
  FiberPool fibers_;
  Fiber outside_;  // the stack of run()
  std::vector<Thread> threads_;
  Warp warps_[kMaxWarps];
  uint32_t ready_warps_ = 0;  // that have a ready lane
  unsigned running_ = 0, thread_count_ = 0, alive_ = 0, at_barrier_ = 0;
  Dim3 block_index_;
  Error error_ = 0;
  bool given_up_ = false;
  uint64_t random_state_ = 1;
};

// Set while a thread of a block runs; of the calling thread of the operating system.
extern constinit thread_local BlockRunner* t_runner __attribute__((tls_model("initial-exec")));

}  // namespace penult::gpu::emulated
