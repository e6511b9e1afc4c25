#pragma once

// The contract of a vector of floats. Kernels are templates over a type `Vec`; vec_<isa>.h defines
// one in a namespace named after the ISA, so that no symbol of one level can stand in for another.
//
//   Vec::kLanes                       floats in a vector; divides kernels::kChannelPad
//   Vec::kRegisters                   vectors that registers hold
//   Vec::load(p), Vec::store(p, v)    kLanes floats at any 4-byte aligned address
//   Vec::load_kept(p)                 as load, but never folded into the instruction that uses it
//   Vec::broadcast(p), Vec::set(x)    every lane is *p (one load, however often used), or x
//   Vec::broadcast_at<k>(base, distance)    the same of float k behind the address base + distance.
//                                     Compilers may not see that it reads memory: in a function
//                                     that is not inlined, and behind a barrier for memory
//   Vec::add(a, b), sub, mul, div     rounded once
//   Vec::fma(a, b, c)                 a * b + c; whether the product is rounded is the ISA's matter
//   Vec::accumulate(sum, a, b)        sum = fma(a, b, sum), for loops that fill the registers
//   Vec::clamp(v, lo, hi)             min(max(v, lo), hi) of each lane; a NaN in v stays a NaN
//   Vec::max(a, b)                    the larger of each lane; NaN where either is NaN
//   Vec::ldexp(v, n)                  v * 2^n, rounded once, for whole n in -252..254
//   Vec::prefetch(p)                  into the first-level cache; any address is allowed
//   Vec::prefetch_write(p)            the same, to be written
//
// For kernels/resize each level but scalar also defines `Sums`: 32-bit integers that wrap around.
// A number of 8 bits becomes one of 16, and two of those stand in each lane of a `Sums::Pairs`.
//
//   Sums::kLanes                      sums in a vector, a multiple of 4
//   Sums::set(x), add(a, b), shift_left<k>(a), shift_right<k>(a)    the last one keeps the sign
//   Sums::load_pairs(p)               kLanes pairs at any address
//   Sums::broadcast_pair(p)           the same pair in each lane
//   Sums::add_products(s, a, b)       s + first * first + second * second of each lane
//   Sums::load_pixels(src, at)        16 bytes at src + at[i], i < kLanes / 4: four pixels rgb
//   Sums::first_pixels(x)             of these the first two as pairs, next_pixels the other two:
//                                     of each i r r, g g, b b, and zeros
//   Sums::store_pixels(p, s)          three of four lanes, clipped to 0..255, 3 * kLanes / 4 bytes;
//                                     up to kLanes / 4 bytes more may be written
//   Sums::load_rows(a, b, pairs)      4 * kLanes bytes of two rows, as pairs in an order of its own
//   Sums::store_row(p, s0, .. s3)     undoes that order; clipped to 0..255
//
// Files compiled for one ISA include only these headers, intrinsics, <cstdint>, <cstddef>, their
// .inl.h and plain-struct headers: an inline function of the standard library compiled there could
// be the copy that the linker keeps for everybody (tools/check_isa_objects.py watches).

#define PENULT_INLINE inline __attribute__((always_inline))
#define PENULT_NOINLINE __attribute__((noinline))

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PENULT_SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(undefined_behavior_sanitizer)
#define PENULT_SANITIZED
#endif
#endif

// Loops over registers must disappear, or accumulators live in memory. Not with sanitizers, whose
// checks would be unrolled too: gcc then takes a quarter of an hour for one file.
#if defined(PENULT_ROLLED_LOOPS) || defined(PENULT_SANITIZED)
#define PENULT_UNROLL
#else
#define PENULT_UNROLL _Pragma("GCC unroll 32")
#endif
