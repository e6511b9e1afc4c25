// What kernels call before each load and store that they contain once clang (or g++) has compiled
// them with -fsanitize=thread. They are linked without that option: these functions take the place
// of ThreadSanitizer's own runtime. The compiler's call-outs are its interface, all of them are
// here that clang 14 and g++ 12 know for C++ without exceptions; were one missing, linking would
// fail.
//
// Not to be linked into a program that is itself built with -fsanitize=thread.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "kernels/cuda/emulated/block_runner.h"

namespace penult::gpu::emulated {
namespace {

inline void note(const void* p, size_t bytes, Access access, const void* pc) {
  BlockRunner* runner = t_runner;
  if (runner != nullptr && runner->checks()) runner->access(p, bytes, access, pc);
}

// Accesses of which the compiler believes that they are aligned.
inline void note_aligned(const void* p, size_t bytes, Access access, const void* pc) {
  BlockRunner* runner = t_runner;
  if (runner == nullptr || !runner->checks()) return;
  runner->access(p, bytes, access, pc);
  // Only of memory of the device: others are the host compiler's business.
  if (reinterpret_cast<uintptr_t>(p) % bytes != 0 && Checker::instance().find(p) != nullptr)
    runner->report(Kind::kMisaligned, std::to_string(bytes) + " bytes", pc);
}

// Of one thread of the operating system, hence nothing comes between.
template <class T>
T load(const volatile T* p, const void* pc) {
  note_aligned(const_cast<const T*>(p), sizeof(T), Access::kAtomicRead, pc);
  return *p;
}

template <class T, class F>
T update(volatile T* p, const void* pc, F f) {
  note_aligned(const_cast<const T*>(p), sizeof(T), Access::kAtomicUpdate, pc);
  const T old = *p;
  *p = f(old);
  return old;
}

template <class T>
bool compare_exchange(volatile T* p, T* expected, T desired, const void* pc) {
  const T wanted = *expected;
  *expected = update(p, pc, [&](T old) { return old == wanted ? desired : old; });
  return *expected == wanted;
}

}  // namespace
}  // namespace penult::gpu::emulated

namespace emu = penult::gpu::emulated;
using emu::Access;

#define PENULT_CALLER __builtin_return_address(0)

#define PENULT_TSAN_ACCESS(size)                                                                  \
  void __tsan_read##size(void* p) { emu::note_aligned(p, size, Access::kRead, PENULT_CALLER); }   \
  void __tsan_write##size(void* p) { emu::note_aligned(p, size, Access::kWrite, PENULT_CALLER); } \
  void __tsan_volatile_read##size(void* p) {                                                      \
    emu::note_aligned(p, size, Access::kRead, PENULT_CALLER);                                     \
  }                                                                                               \
  void __tsan_volatile_write##size(void* p) {                                                     \
    emu::note_aligned(p, size, Access::kWrite, PENULT_CALLER);                                    \
  }                                                                                               \
  void __tsan_read_write##size(void* p) {                                                         \
    emu::note_aligned(p, size, Access::kRead, PENULT_CALLER);                                     \
    emu::note(p, size, Access::kWrite, PENULT_CALLER);                                            \
  }                                                                                               \
  void __tsan_unaligned_read##size(void* p) { emu::note(p, size, Access::kRead, PENULT_CALLER); } \
  void __tsan_unaligned_write##size(void* p) {                                                    \
    emu::note(p, size, Access::kWrite, PENULT_CALLER);                                            \
  }                                                                                               \
  void __tsan_unaligned_volatile_read##size(void* p) {                                            \
    emu::note(p, size, Access::kRead, PENULT_CALLER);                                             \
  }                                                                                               \
  void __tsan_unaligned_volatile_write##size(void* p) {                                           \
    emu::note(p, size, Access::kWrite, PENULT_CALLER);                                            \
  }                                                                                               \
  void __tsan_unaligned_read_write##size(void* p) {                                               \
    emu::note(p, size, Access::kRead, PENULT_CALLER);                                             \
    emu::note(p, size, Access::kWrite, PENULT_CALLER);                                            \
  }

#define PENULT_TSAN_UPDATE(bits, name, value)                                                      \
  uint##bits##_t __tsan_atomic##bits##_##name(volatile uint##bits##_t* p, uint##bits##_t x, int) { \
    using T = uint##bits##_t;                                                                      \
    return emu::update(p, PENULT_CALLER, [x]([[maybe_unused]] T old) { return T(value); });        \
  }

#define PENULT_TSAN_ATOMIC(bits)                                                                \
  uint##bits##_t __tsan_atomic##bits##_load(const volatile uint##bits##_t* p, int) {            \
    return emu::load(p, PENULT_CALLER);                                                         \
  }                                                                                             \
  void __tsan_atomic##bits##_store(volatile uint##bits##_t* p, uint##bits##_t x, int) {         \
    emu::update(p, PENULT_CALLER, [x](uint##bits##_t) { return x; });                           \
  }                                                                                             \
  PENULT_TSAN_UPDATE(bits, exchange, x)                                                         \
  PENULT_TSAN_UPDATE(bits, fetch_add, old + x)                                                  \
  PENULT_TSAN_UPDATE(bits, fetch_sub, old - x)                                                  \
  PENULT_TSAN_UPDATE(bits, fetch_and, old& x)                                                   \
  PENULT_TSAN_UPDATE(bits, fetch_or, old | x)                                                   \
  PENULT_TSAN_UPDATE(bits, fetch_xor, old ^ x)                                                  \
  PENULT_TSAN_UPDATE(bits, fetch_nand, ~(old & x))                                              \
  int __tsan_atomic##bits##_compare_exchange_strong(                                            \
      volatile uint##bits##_t* p, uint##bits##_t* expected, uint##bits##_t desired, int, int) { \
    return emu::compare_exchange(p, expected, desired, PENULT_CALLER);                          \
  }                                                                                             \
  int __tsan_atomic##bits##_compare_exchange_weak(                                              \
      volatile uint##bits##_t* p, uint##bits##_t* expected, uint##bits##_t desired, int, int) { \
    return emu::compare_exchange(p, expected, desired, PENULT_CALLER);                          \
  }                                                                                             \
  uint##bits##_t __tsan_atomic##bits##_compare_exchange_val(                                    \
      volatile uint##bits##_t* p, uint##bits##_t expected, uint##bits##_t desired, int, int) {  \
    emu::compare_exchange(p, &expected, desired, PENULT_CALLER);                                \
    return expected;                                                                            \
  }

// NOLINTBEGIN(bugprone-reserved-identifier, readability-identifier-naming): the compiler's names.
extern "C" {

PENULT_TSAN_ACCESS(1)
PENULT_TSAN_ACCESS(2)
PENULT_TSAN_ACCESS(4)
PENULT_TSAN_ACCESS(8)
PENULT_TSAN_ACCESS(16)
PENULT_TSAN_ATOMIC(8)
PENULT_TSAN_ATOMIC(16)
PENULT_TSAN_ATOMIC(32)
PENULT_TSAN_ATOMIC(64)

void __tsan_read_range(void* p, size_t bytes) { emu::note(p, bytes, Access::kRead, PENULT_CALLER); }
void __tsan_write_range(void* p, size_t bytes) {
  emu::note(p, bytes, Access::kWrite, PENULT_CALLER);
}

void* __tsan_memcpy(void* dst, const void* src, size_t bytes) {
  emu::note(src, bytes, Access::kRead, PENULT_CALLER);
  emu::note(dst, bytes, Access::kWrite, PENULT_CALLER);
  return std::memcpy(dst, src, bytes);
}
void* __tsan_memmove(void* dst, const void* src, size_t bytes) {
  emu::note(src, bytes, Access::kRead, PENULT_CALLER);
  emu::note(dst, bytes, Access::kWrite, PENULT_CALLER);
  return std::memmove(dst, src, bytes);
}
void* __tsan_memset(void* dst, int value, size_t bytes) {
  emu::note(dst, bytes, Access::kWrite, PENULT_CALLER);
  return std::memset(dst, value, bytes);
}

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit(void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}
void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier, readability-identifier-naming)

#undef PENULT_TSAN_ATOMIC
#undef PENULT_TSAN_UPDATE
#undef PENULT_TSAN_ACCESS
#undef PENULT_CALLER
