#pragma once

// The contract of a vector of floats. Kernels are templates over a type `Vec`; vec_<isa>.h defines
// one in a namespace named after the ISA, so that no symbol of one level can stand in for another.
//
//   Vec::kLanes                       floats in a vector; divides kernels::kChannelPad
//   Vec::kRegisters                   vectors that registers hold
//   Vec::load(p), Vec::store(p, v)    kLanes floats at any 4-byte aligned address
//   Vec::load_kept(p)                 as load, but never folded into the instruction that uses it
//   Vec::broadcast(p), Vec::set(x)    every lane is *p (one load, however often used), or x
//   Vec::add(a, b), sub, mul, div     rounded once
//   Vec::fma(a, b, c)                 a * b + c; whether the product is rounded is the ISA's matter
//   Vec::clamp(v, lo, hi)             min(max(v, lo), hi) of each lane; a NaN in v stays a NaN
//   Vec::max(a, b)                    the larger of each lane; NaN where either is NaN
//   Vec::ldexp(v, n)                  v * 2^n, rounded once, for whole n in -252..254
//   Vec::prefetch(p)                  into the first-level cache; any address is allowed
//   Vec::prefetch_write(p)            the same, to be written
//
// Files compiled for one ISA include only these headers, intrinsics, <cstdint>, <cstddef>, their
// .inl.h and plain-struct headers: an inline function of the standard library compiled there could
// be the copy that the linker keeps for everybody (tools/check_isa_objects.py watches).

#define PENULT_INLINE inline __attribute__((always_inline))
#define PENULT_NOINLINE __attribute__((noinline))

// Loops over registers must disappear, or accumulators live in memory. Not with sanitizers, whose
// checks would be unrolled too: gcc then takes a quarter of an hour for one file.
#if defined(PENULT_ROLLED_LOOPS)
#define PENULT_UNROLL
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(undefined_behavior_sanitizer)
#define PENULT_UNROLL
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PENULT_UNROLL
#endif
#ifndef PENULT_UNROLL
#define PENULT_UNROLL _Pragma("GCC unroll 32")
#endif
