#include "engine/base/cpu_features.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "engine/base/cgroup.h"
#include "engine/base/text.h"

namespace penult {
namespace {

constexpr std::array kIsas = {Isa::kScalar, Isa::kPortable16, Isa::kAvx2, Isa::kAvx512};

const char* set_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr || *value == '\0' ? nullptr : value;
}

Status unknown_value(const char* variable, const std::string& expected, const char* got) {
  return Status(StatusCode::kInvalidArgument,
                concat("environment variable ", variable, ": expected ", expected, ", got ",
                       quote(got), "; set it so, or unset it"));
}

// 0 if the kernel does not say.
int affinity_cpus() {
  // The set must be as large as the kernel's own, whose size is not told: grow until it fits.
  for (int cpus = CPU_SETSIZE; cpus <= 1 << 18; cpus *= 2) {
    cpu_set_t* set = CPU_ALLOC(cpus);
    if (set == nullptr) return 0;
    const size_t bytes = CPU_ALLOC_SIZE(cpus);
    CPU_ZERO_S(bytes, set);
    const int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
    CPU_FREE(set);
    if (count > 0) return count;
  }
  return 0;
}

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kPortable16:
      return "portable16";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "unknown";
}

std::span<const Isa> all_isas() { return kIsas; }

Isa detected_isa() {
#if defined(__x86_64__)
  // The runtime behind these also asks XGETBV whether the system saves the wide registers.
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2) return avx512 ? Isa::kAvx512 : Isa::kAvx2;
#endif
  return Isa::kScalar;
}

bool is_supported(Isa isa) { return isa == Isa::kPortable16 || isa <= detected_isa(); }

Result<Isa> usable_isa() {
  if (const char* lanes = set_variable("PENULT_LANES")) {
    if (std::string_view(lanes) == isa_name(Isa::kPortable16)) return Isa::kPortable16;
    return unknown_value("PENULT_LANES", isa_name(Isa::kPortable16), lanes);
  }
  const Isa detected = detected_isa();
  const char* cap = set_variable("PENULT_ISA_MAX");
  if (cap == nullptr) return detected;
  std::string valid;
  for (const Isa isa : kIsas) {
    if (isa == Isa::kPortable16) continue;
    if (std::string_view(cap) == isa_name(isa)) return std::min(isa, detected);
    valid += (valid.empty() ? "one of " : ", ") + std::string(isa_name(isa));
  }
  return unknown_value("PENULT_ISA_MAX", valid, cap);
}

int usable_cpus() {
  int cpus = affinity_cpus();
  if (cpus == 0) cpus = static_cast<int>(std::thread::hardware_concurrency());
  std::ifstream in("/proc/self/cgroup");
  const std::string membership{std::istreambuf_iterator<char>(in), {}};
  if (const auto limit = cgroup_cpu_limit(membership, "/sys/fs/cgroup")) {
    cpus = std::min(cpus, *limit);
  }
  return std::max(cpus, 1);
}

uint64_t private_cache_bytes() {
  if (const char* variable = set_variable("PENULT_CACHE_BYTES")) {
    uint64_t bytes = 0;
    const char* const end = variable + std::strlen(variable);
    const auto parsed = std::from_chars(variable, end, bytes);
    if (parsed.ec == std::errc() && parsed.ptr == end && bytes > 0) return bytes;
  }
#ifdef _SC_LEVEL2_CACHE_SIZE
  if (const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > 0) {
    return static_cast<uint64_t>(bytes);
  }
#endif
  return uint64_t{1} << 20;
}

}  // namespace penult
