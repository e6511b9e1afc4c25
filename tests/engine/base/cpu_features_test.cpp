#include "engine/base/cpu_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/support/environment.h"

namespace penult {
namespace {

using ::testing::HasSubstr;

class UsableIsa : public ::testing::Test {
 protected:
  static constexpr const char *kVariable = "PENULT_ISA_MAX", *kLanes = "PENULT_LANES";
  ::penult::testing::ScopedVariable isa_max_{kVariable, nullptr}, lanes_{kLanes, nullptr};
};

TEST_F(UsableIsa, IsCappedByTheEnvironment) {
  setenv(kVariable, "scalar", 1);
  ASSERT_TRUE(usable_isa().ok());
  EXPECT_EQ(*usable_isa(), Isa::kScalar);
}

TEST_F(UsableIsa, NeverExceedsWhatTheMachineHas) {
  EXPECT_EQ(*usable_isa(), detected_isa());
  setenv(kVariable, "", 1);
  EXPECT_EQ(*usable_isa(), detected_isa());
  for (const Isa isa : all_isas()) {
    if (isa == Isa::kPortable16) continue;
    setenv(kVariable, isa_name(isa), 1);
    EXPECT_EQ(*usable_isa(), std::min(isa, detected_isa()));
  }
}

TEST_F(UsableIsa, AnUnknownNameIsRefusedWithTheValidOnes) {
  setenv(kVariable, "AVX2\n", 1);
  const Status status = usable_isa().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("one of scalar, avx2, avx512,"));
  EXPECT_THAT(status.message(), HasSubstr("AVX2\\x0a"));
}

TEST_F(UsableIsa, IsPortable16WhereTheLanesAreAskedFor) {
  setenv(kLanes, "portable16", 1);
  EXPECT_EQ(*usable_isa(), Isa::kPortable16);
  setenv(kLanes, "portable8", 1);
  const Status status = usable_isa().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("PENULT_LANES: expected portable16"));
}

TEST_F(UsableIsa, IsNotPortable16AsALevel) {
  setenv(kVariable, "portable16", 1);
  EXPECT_EQ(usable_isa().status().code(), StatusCode::kInvalidArgument);
}

TEST(DetectedIsa, AgreesWithTheFlagsThatTheKernelReports) {
  std::ifstream in("/proc/cpuinfo");
  std::string line;
  while (std::getline(in, line) && line.rfind("flags", 0) != 0) {
  }
  if (line.rfind("flags", 0) != 0) GTEST_SKIP() << "/proc/cpuinfo lists no flags here";
  line += ' ';
  const auto has = [&](const char* flag) { return line.find(flag) != std::string::npos; };
  const bool avx2 = has(" avx2 ") && has(" fma ");
  const bool avx512 =
      has(" avx512f ") && has(" avx512bw ") && has(" avx512dq ") && has(" avx512vl ");
  EXPECT_EQ(detected_isa() >= Isa::kAvx2, avx2);
  EXPECT_EQ(detected_isa() >= Isa::kAvx512, avx2 && avx512);
  EXPECT_EQ(is_supported(Isa::kAvx512), avx2 && avx512);
  EXPECT_TRUE(is_supported(Isa::kPortable16));
}

TEST(Isas, AreAscendingWithDistinctNames) {
  std::vector<std::string> names;
  for (const Isa isa : all_isas()) names.push_back(isa_name(isa));
  EXPECT_THAT(names, ::testing::ElementsAre("scalar", "portable16", "avx2", "avx512"));
  EXPECT_TRUE(std::is_sorted(all_isas().begin(), all_isas().end()));
}

TEST(UsableCpus, FollowsTheAffinityOfTheThread) {
  cpu_set_t all;
  ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  EXPECT_GE(usable_cpus(), 1);
  EXPECT_LE(usable_cpus(), CPU_COUNT(&all));

  int first = 0;
  while (!CPU_ISSET(first, &all)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(usable_cpus(), 1);
  ASSERT_EQ(sched_setaffinity(0, sizeof all, &all), 0);
}

}  // namespace
}  // namespace penult
