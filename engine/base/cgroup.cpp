#include "engine/base/cgroup.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <sstream>

namespace penult {
namespace {

std::optional<int64_t> to_positive(const std::string& word) {
  int64_t value = 0;
  std::istringstream in(word);
  if (!(in >> value) || value <= 0) return std::nullopt;
  return value;
}

// A quota of "max" (v2) or -1 (v1) means no limit.
std::optional<int> whole_cpus(const std::string& quota_us, const std::string& period_us) {
  const auto quota = to_positive(quota_us);
  const auto period = to_positive(period_us);
  if (!quota || !period) return std::nullopt;
  const int64_t cpus = *quota / *period + (*quota % *period != 0 ? 1 : 0);
  return static_cast<int>(std::min<int64_t>(cpus, std::numeric_limits<int>::max()));
}

std::string first_word_of(const std::string& path) {
  std::ifstream in(path);
  std::string word;
  in >> word;
  return word;
}

std::optional<int> limit_in(const std::string& folder, bool v2) {
  if (!v2) {
    return whole_cpus(first_word_of(folder + "/cpu.cfs_quota_us"),
                      first_word_of(folder + "/cpu.cfs_period_us"));
  }
  std::ifstream in(folder + "/cpu.max");
  std::string quota, period;
  in >> quota >> period;
  return whole_cpus(quota, period);
}

std::optional<int> smaller(std::optional<int> a, std::optional<int> b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

std::optional<int> limit_up_to_root(const std::string& mount, std::string group, bool v2) {
  std::optional<int> limit = limit_in(mount, v2);
  while (group.size() > 1) {
    limit = smaller(limit, limit_in(mount + group, v2));
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
  return limit;
}

bool lists_cpu(const std::string& controllers) {
  return ("," + controllers + ",").find(",cpu,") != std::string::npos;
}

}  // namespace

std::optional<int> cgroup_cpu_limit(const std::string& membership, const std::string& mount) {
  std::optional<int> limit;
  std::istringstream lines(membership);
  std::string line;
  while (std::getline(lines, line)) {  // id:controllers:path; v2 has no controllers
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      limit = smaller(limit, limit_up_to_root(mount, group, true));
    } else if (lists_cpu(controllers)) {
      limit = smaller(limit, limit_up_to_root(mount + "/cpu", group, false));
      limit = smaller(limit, limit_up_to_root(mount + "/" + controllers, group, false));
    }
  }
  return limit;
}

}  // namespace penult
