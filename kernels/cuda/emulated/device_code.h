#pragma once

// What kernels/cuda/gpu.h is made of where kernels are compiled as C++. Bodies that touch memory or
// wait are out of line, in files that are never instrumented: each reports its own accesses.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>

#include "kernels/cuda/gpu_types.h"

// A function of a header that several objects share must not end up as the linker's choice between
// an instrumented and a plain copy: hence always inline.
#define GPU_FN inline __attribute__((always_inline))
#define GPU_KERNEL void
#define GPU_BOUNDS(threads, blocks)
#define GPU_UNROLL
// The address of a static is the array's key, one for each instance of a template.
#define GPU_SHARED(type, name)                                                        \
  static const char name##_site = 0;                                                  \
  ::penult::gpu::Identity<type>& name = *static_cast<::penult::gpu::Identity<type>*>( \
      ::penult::gpu::emulated::shared_array(&name##_site, sizeof(::penult::gpu::Identity<type>)))
#define GPU_DYN_SHARED(name) \
  unsigned char* const name = ::penult::gpu::emulated::dynamic_shared_memory()

// Copies of structures, and loops that copy, become calls of these: clang 14 leaves it to
// ThreadSanitizer's runtime to intercept them (later versions call __tsan_memcpy by themselves).
#if defined(__clang__)
#if __has_feature(thread_sanitizer)
asm(".set memcpy, __tsan_memcpy");
asm(".set memmove, __tsan_memmove");
asm(".set memset, __tsan_memset");
#endif
#endif

// NOLINTBEGIN(readability-identifier-naming): CUDA's names.
#define threadIdx (::penult::gpu::emulated::thread_index())
#define blockIdx (::penult::gpu::emulated::block_index())
#define blockDim (::penult::gpu::emulated::block_dim())
#define gridDim (::penult::gpu::emulated::grid_dim())
// NOLINTEND(readability-identifier-naming)

namespace penult::gpu {

template <class T>
using Identity = T;

struct Dim3 {
  unsigned x, y, z;
  constexpr Dim3(unsigned in_x = 1, unsigned in_y = 1, unsigned in_z = 1)
      : x(in_x), y(in_y), z(in_z) {}
};

struct Bits64;
struct Bits128;

namespace emulated {

// Const: a kernel's call runs as one thread from its beginning to its end.
[[gnu::const]] Dim3 thread_index();
[[gnu::const]] Dim3 block_index();
[[gnu::const]] Dim3 block_dim();
[[gnu::const]] Dim3 grid_dim();

void* shared_array(const void* site, size_t bytes);
unsigned char* dynamic_shared_memory();

// Calls body() as each thread of the grid, or keeps it if the stream records. 9 beyond the limits
// of a device, 719 if a thread failed or was reported (emulator.h).
Error run(Dim3 grid, Dim3 block, size_t shared_bytes, Stream stream, std::function<void()> body);

template <class... Params, class... Args>
inline Error launch(void (*kernel)(Params...), Dim3 grid, Dim3 block, size_t shared_bytes,
                    Stream stream, Args... args) {
  return run(grid, block, shared_bytes, stream, [=] { kernel(Params(args)...); });
}

inline float to_float(Half x) {
  const uint32_t magnitude = static_cast<uint32_t>(x.bits & 0x7fff) << 13;
  const uint32_t sign = static_cast<uint32_t>(x.bits & 0x8000) << 16;
  // The product moves the exponent's bias from 15 to 127, and makes subnormals normal. No branch:
  // compilers do many at once.
  auto bits = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
  bits |= magnitude >= 31U << 23 ? 0x7f800000U : 0U;
  return std::bit_cast<float>(bits | sign);
}

inline Half to_half(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const uint32_t sign = bits >> 16 & 0x8000;
  uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return {0x7fff};  // NaN, as cvt makes it
  if (magnitude >= 0x477ff000) {                // 65520 is the first to round to infinity
    magnitude = 0x7c00;
  } else if (magnitude < 0x38800000) {
    // Less than 2^-14: the unit in the last place of 0.5 is that of subnormal halves, 2^-24.
    magnitude = std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + 0.5F) - 0x3f000000;
  } else {
    magnitude = (magnitude + 0xfff + (magnitude >> 13 & 1) - (112U << 23)) >> 13;
  }
  return {static_cast<uint16_t>(sign | magnitude)};
}

inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline float exp(float x) { return __builtin_expf(x); }

uint32_t load32(const void* p);
Bits64 load64(const void* p);
Bits128 load128(const void* p);
void store32(void* p, uint32_t x);
void store64(void* p, Bits64 x);
void store128(void* p, Bits128 x);

void sync_block();
void sync_warp();
float shuffle_xor(float x, int mask);
float shuffle_down(float x, int delta);
void ldmatrix_x4(uint32_t (&r)[4], const void* shared_row);
void mma_f16_16x8x16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]);

void copy_async16(void* shared, const void* global, bool valid);
void copy_async_commit();
void wait_for_copies(uint32_t open_groups);
template <int kOpen>
inline void copy_async_wait() {
  static_assert(kOpen >= 0);
  wait_for_copies(kOpen);
}

}  // namespace emulated
}  // namespace penult::gpu
