#include "engine/base/cpu_features.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

#include "engine/base/cgroup.h"
#include "engine/base/text.h"

namespace penult {
namespace {

constexpr std::array kIsas = {Isa::kScalar, Isa::kAvx2};

std::string valid_names() {
  std::string names;
  for (const Isa isa : kIsas) names += (names.empty() ? "" : ", ") + std::string(isa_name(isa));
  return names;
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
    case Isa::kAvx2:
      return "avx2";
  }
  return "unknown";
}

std::span<const Isa> all_isas() { return kIsas; }

Isa detected_isa() {
#if defined(__x86_64__)
  // The runtime behind these also asks XGETBV whether the system saves the wide registers.
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Isa::kAvx2;
#endif
  return Isa::kScalar;
}

Result<Isa> usable_isa() {
  const Isa detected = detected_isa();
  const char* cap = std::getenv("PENULT_ISA_MAX");
  if (cap == nullptr || *cap == '\0') return detected;
  for (const Isa isa : kIsas) {
    if (std::string_view(cap) == isa_name(isa)) return std::min(isa, detected);
  }
  return Status(StatusCode::kInvalidArgument,
                concat("environment variable PENULT_ISA_MAX: expected one of ", valid_names(),
                       ", got ", quote(cap), "; set one of them, or unset it"));
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

}  // namespace penult
