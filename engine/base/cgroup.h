#pragma once

#include <optional>
#include <string>

namespace penult {

// Processors that control groups grant, rounded up to whole ones (at least 1); none if unlimited.
// `membership` is the text of /proc/self/cgroup, `mount` the folder where cgroups are mounted
// (/sys/fs/cgroup). Every group from the process's own up to the root counts, the smallest wins: a
// container often sees only the upper part of its own path. Knows v2 (cpu.max) and v1
// (cpu.cfs_quota_us / cpu.cfs_period_us).
std::optional<int> cgroup_cpu_limit(const std::string& membership, const std::string& mount);

}  // namespace penult
