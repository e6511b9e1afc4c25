#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "penult/status.h"

namespace penult {

// ISA classes in ascending order. Results are bitwise equal only within one class.
// kPortable16 is no instruction set: the 16-lane kernels in plain C++, to test them anywhere.
enum class Isa { kScalar, kPortable16, kAvx2, kAvx512 };

// "scalar", "avx2", ...: the names of PENULT_ISA_MAX, and "portable16".
const char* isa_name(Isa isa);
// All levels that this library was built with, ascending.
std::span<const Isa> all_isas();

// The best level that this processor and operating system support (avx2 means AVX2 + FMA, avx512
// means F, BW, DQ and VL besides). Never kPortable16, which is not faster than anything.
Isa detected_isa();
// True if kernels of this class run here.
bool is_supported(Isa isa);

// kPortable16 if the environment variable PENULT_LANES is "portable16", else detected_isa() capped
// by PENULT_ISA_MAX (both are read at each call); an unknown value of either is InvalidArgument
// naming the valid ones.
Result<Isa> usable_isa();

// Processors that this process may use (sched_getaffinity, and the cgroup's CPU quota if lower).
int usable_cpus();

// Bytes of cache that a processor has for itself (L2), or 1 MiB where the system does not say. The
// environment variable PENULT_CACHE_BYTES, if it is a positive number, is believed instead (1 to 8
// are for tests: PlanOptions::kEveryChain). It decides how work is cut up, hence time and memory,
// and no bit.
uint64_t private_cache_bytes();

}  // namespace penult
