#pragma once

#include <span>
#include <string_view>

#include "penult/status.h"

namespace penult {

// ISA classes in ascending order. Results are bitwise equal only within one class.
enum class Isa { kScalar, kAvx2 };

// "scalar", "avx2": the names of PENULT_ISA_MAX.
const char* isa_name(Isa isa);
// All levels that this library was built with, ascending.
std::span<const Isa> all_isas();

// The best level that this processor and operating system support (avx2 means AVX2 + FMA).
Isa detected_isa();

// detected_isa() capped by the environment variable PENULT_ISA_MAX (read at each call); an unknown
// value is InvalidArgument naming the valid ones.
Result<Isa> usable_isa();

// Processors that this process may use (sched_getaffinity, and the cgroup's CPU quota if lower).
int usable_cpus();

}  // namespace penult
