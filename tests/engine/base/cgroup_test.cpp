#include "engine/base/cgroup.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace penult {
namespace {

// A folder that looks like /sys/fs/cgroup.
class CgroupCpuLimit : public testing::Test {
 protected:
  CgroupCpuLimit() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    mount_ = std::filesystem::path(testing::TempDir()) / (std::string("cgroup_") + test->name());
    std::filesystem::remove_all(mount_);
    std::filesystem::create_directories(mount_);
  }
  ~CgroupCpuLimit() override { std::filesystem::remove_all(mount_); }

  void put(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((mount_ / name).parent_path());
    std::ofstream(mount_ / name) << text;
  }
  std::optional<int> limit(const std::string& membership) {
    return cgroup_cpu_limit(membership, mount_.string());
  }

  std::filesystem::path mount_;
};

TEST_F(CgroupCpuLimit, RoundsAFractionOfAProcessorUp) {
  put("box/cpu.max", "150000 100000\n");
  EXPECT_EQ(limit("0::/box\n"), 2);
  put("box/cpu.max", "200000 100000\n");
  EXPECT_EQ(limit("0::/box\n"), 2);
  put("box/cpu.max", "1000 100000\n");
  EXPECT_EQ(limit("0::/box\n"), 1);
}

TEST_F(CgroupCpuLimit, IsNoneWithoutAQuota) {
  put("box/cpu.max", "max 100000\n");
  EXPECT_EQ(limit("0::/box\n"), std::nullopt);
  EXPECT_EQ(limit("0::/elsewhere\n"), std::nullopt);
  EXPECT_EQ(limit(""), std::nullopt);
  EXPECT_EQ(limit("no colons here\n"), std::nullopt);
}

TEST_F(CgroupCpuLimit, TakesTheSmallestQuotaBetweenTheGroupAndTheRoot) {
  put("a/cpu.max", "300000 100000\n");
  put("a/b/cpu.max", "max 100000\n");
  put("a/b/c/cpu.max", "800000 100000\n");
  EXPECT_EQ(limit("0::/a/b/c\n"), 3);
  put("cpu.max", "100000 100000\n");
  EXPECT_EQ(limit("0::/a/b/c\n"), 1);
}

TEST_F(CgroupCpuLimit, ReadsVersionOneQuotas) {
  put("cpu/box/cpu.cfs_quota_us", "250000\n");
  put("cpu/box/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit("5:memory:/box\n1:cpu:/box\n"), 3);
  EXPECT_EQ(limit("5:memory:/box\n"), std::nullopt);
  EXPECT_EQ(limit("3:cpuset:/box\n"), std::nullopt);
  put("cpu/box/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(limit("1:cpu:/box\n"), std::nullopt);
}

TEST_F(CgroupCpuLimit, FindsVersionOneMountedWithItsCompanion) {
  put("cpu,cpuacct/cpu.cfs_quota_us", "100000\n");
  put("cpu,cpuacct/cpu.cfs_period_us", "50000\n");
  EXPECT_EQ(limit("4:cpu,cpuacct:/docker/0123\n"), 2);
}

TEST_F(CgroupCpuLimit, IgnoresNonsenseInsteadOfDividingByZero) {
  put("box/cpu.max", "100000 0\n");
  EXPECT_EQ(limit("0::/box\n"), std::nullopt);
  put("box/cpu.max", "lots 100000\n");
  EXPECT_EQ(limit("0::/box\n"), std::nullopt);
}

}  // namespace
}  // namespace penult
