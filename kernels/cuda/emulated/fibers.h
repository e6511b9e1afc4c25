#pragma once

// A second stack to run on, and the way from one to another. Nothing here is shared between threads
// of the operating system: a fiber stays on the one that made it.

#include <cstddef>
#include <memory>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define PENULT_FIBERS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PENULT_FIBERS_ASAN 1
#endif
#endif

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace penult::gpu::emulated {

// An own stack, or (default) that of the thread which makes the others.
class Fiber {
 public:
  static constexpr size_t kStackBytes = 64 * 1024;

  Fiber() = default;
  // `index`: fibers with different ones do not compete for the same lines of a cache.
  // Throws std::bad_alloc.
  explicit Fiber(size_t index);
  ~Fiber();
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  // The next switch to this fiber calls entry(), which calls entered() first and never returns.
  void prepare(void (*entry)());
  void entered(Fiber& from_outside);
  // Returns when something switches back.
  void switch_to(Fiber& other);
  // The same for one who will not come back: prepare() is the way to use it again.
  [[noreturn]] void leave_for(Fiber& other);
  // Instead of leave_for(), where the fiber was left in the middle: its frames are forgotten.
  void forget();

  bool on_stack(const void* p) const {
    return static_cast<size_t>(static_cast<const char*>(p) - stack_) < kStackBytes;
  }

 private:
  char* stack_ = nullptr;  // lowest address
  size_t color_ = 0;
#if defined(__x86_64__)
  void* stack_pointer_ = nullptr;
#else
  ucontext_t context_ = {};
#endif
#if defined(PENULT_FIBERS_ASAN)
  void* fake_stack_ = nullptr;
  const void* asan_bottom_ = nullptr;
  size_t asan_bytes_ = 0;
#endif
};

// Keeps stacks for the next block and the next launch.
class FiberPool {
 public:
  void reserve(size_t count);  // throws std::bad_alloc
  // Never more than were reserved.
  Fiber* take();
  void give_back(Fiber* fiber) { free_.push_back(fiber); }
  // Those that were taken are free again, wherever they are.
  void forget_all();

 private:
  std::vector<std::unique_ptr<Fiber>> all_;
  std::vector<Fiber*> free_;
};

}  // namespace penult::gpu::emulated
