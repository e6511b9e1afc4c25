#include "kernels/cuda/emulated/fibers.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if defined(PENULT_FIBERS_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace penult::gpu::emulated {
namespace {

constexpr size_t kGuardBytes = 4096;  // below the stack, which grows downwards

#if defined(__x86_64__)
// Saves the registers that a call preserves on the old stack, and continues on the new one. The
// control words of the FPU are nobody's to change here.
__attribute__((naked, noinline)) void switch_stacks(void** /*save*/, void* /*load*/) {
  asm("pushq %rbp\n\t"
      "pushq %rbx\n\t"
      "pushq %r12\n\t"
      "pushq %r13\n\t"
      "pushq %r14\n\t"
      "pushq %r15\n\t"
      "movq %rsp, (%rdi)\n\t"
      "movq %rsi, %rsp\n\t"
      "popq %r15\n\t"
      "popq %r14\n\t"
      "popq %r13\n\t"
      "popq %r12\n\t"
      "popq %rbx\n\t"
      "popq %rbp\n\t"
      "ret");
}
#endif

}  // namespace

// Stacks begin at multiples of 4096 bytes, hence the same depth of each lies in the same few sets
// of the L1 cache: a warp's 32 stacks are spread over them.
Fiber::Fiber(size_t index) : color_(index % 32 * 128) {
  void* p = mmap(nullptr, kGuardBytes + kStackBytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
  if (p == MAP_FAILED) throw std::bad_alloc();
  if (mprotect(p, kGuardBytes, PROT_NONE) != 0) {
    munmap(p, kGuardBytes + kStackBytes);
    throw std::bad_alloc();
  }
  stack_ = static_cast<char*>(p) + kGuardBytes;
#if defined(PENULT_FIBERS_ASAN)
  asan_bottom_ = stack_;
  asan_bytes_ = kStackBytes;
#endif
}

Fiber::~Fiber() {
  if (stack_ != nullptr) munmap(stack_ - kGuardBytes, kGuardBytes + kStackBytes);
}

void Fiber::prepare(void (*entry)()) {
#if defined(__x86_64__)
  auto** top = reinterpret_cast<void**>(stack_ + kStackBytes - color_);
  *--top = nullptr;  // where a debugger stops; aligns the stack as a call does
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;  // the registers
  stack_pointer_ = top;
#else
  getcontext(&context_);
  context_.uc_stack.ss_sp = stack_;
  context_.uc_stack.ss_size = kStackBytes - color_;
  context_.uc_link = nullptr;
  makecontext(&context_, entry, 0);
#endif
}

void Fiber::entered([[maybe_unused]] Fiber& from_outside) {
#if defined(PENULT_FIBERS_ASAN)
  const void* bottom = nullptr;
  size_t bytes = 0;
  __sanitizer_finish_switch_fiber(nullptr, &bottom, &bytes);
  // The thread's own stack is known to nobody but ASan, which says it to the first one after it.
  if (from_outside.asan_bottom_ == nullptr) {
    from_outside.asan_bottom_ = bottom;
    from_outside.asan_bytes_ = bytes;
  }
#endif
}

void Fiber::switch_to(Fiber& other) {
#if defined(PENULT_FIBERS_ASAN)
  __sanitizer_start_switch_fiber(&fake_stack_, other.asan_bottom_, other.asan_bytes_);
#endif
#if defined(__x86_64__)
  switch_stacks(&stack_pointer_, other.stack_pointer_);
#else
  swapcontext(&context_, &other.context_);
#endif
#if defined(PENULT_FIBERS_ASAN)
  __sanitizer_finish_switch_fiber(fake_stack_, nullptr, nullptr);
#endif
}

void Fiber::leave_for(Fiber& other) {
#if defined(PENULT_FIBERS_ASAN)
  __sanitizer_start_switch_fiber(nullptr, other.asan_bottom_, other.asan_bytes_);
#endif
#if defined(__x86_64__)
  switch_stacks(&stack_pointer_, other.stack_pointer_);
#else
  swapcontext(&context_, &other.context_);
#endif
  __builtin_unreachable();
}

void Fiber::forget() {
#if defined(PENULT_FIBERS_ASAN)
  __asan_unpoison_memory_region(stack_, kStackBytes);
  fake_stack_ = nullptr;
#endif
}

void FiberPool::reserve(size_t count) {
  free_.reserve(count);
  while (all_.size() < count) {
    all_.push_back(std::make_unique<Fiber>(all_.size()));
    free_.push_back(all_.back().get());
  }
}

Fiber* FiberPool::take() {
  Fiber* fiber = free_.back();
  free_.pop_back();
  return fiber;
}

void FiberPool::forget_all() {
  free_.clear();
  for (auto& fiber : all_) {
    fiber->forget();
    free_.push_back(fiber.get());
  }
}

}  // namespace penult::gpu::emulated
