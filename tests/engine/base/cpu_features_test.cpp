#include "engine/base/cpu_features.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace penult {
namespace {

using testing::HasSubstr;

class UsableIsa : public testing::Test {
 protected:
  UsableIsa() {
    if (const char* value = std::getenv(kVariable)) old_ = value;
  }
  ~UsableIsa() override { old_.empty() ? unsetenv(kVariable) : setenv(kVariable, old_.c_str(), 1); }
  static constexpr const char* kVariable = "PENULT_ISA_MAX";
  std::string old_;
};

TEST_F(UsableIsa, IsCappedByTheEnvironment) {
  setenv(kVariable, "scalar", 1);
  ASSERT_TRUE(usable_isa().ok());
  EXPECT_EQ(*usable_isa(), Isa::kScalar);
}

TEST_F(UsableIsa, NeverExceedsWhatTheMachineHas) {
  unsetenv(kVariable);
  EXPECT_EQ(*usable_isa(), detected_isa());
  setenv(kVariable, "", 1);
  EXPECT_EQ(*usable_isa(), detected_isa());
  for (const Isa isa : all_isas()) {
    setenv(kVariable, isa_name(isa), 1);
    EXPECT_EQ(*usable_isa(), std::min(isa, detected_isa()));
  }
}

TEST_F(UsableIsa, AnUnknownNameIsRefusedWithTheValidOnes) {
  setenv(kVariable, "AVX2\n", 1);
  const Status status = usable_isa().status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), HasSubstr("scalar, avx2"));
  EXPECT_THAT(status.message(), HasSubstr("AVX2\\x0a"));
}

TEST(DetectedIsa, AgreesWithTheFlagsThatTheKernelReports) {
  std::ifstream in("/proc/cpuinfo");
  std::string line;
  while (std::getline(in, line) && line.rfind("flags", 0) != 0) {
  }
  if (line.rfind("flags", 0) != 0) GTEST_SKIP() << "/proc/cpuinfo lists no flags here";
  line += ' ';
  const auto has = [&](const char* flag) { return line.find(flag) != std::string::npos; };
  EXPECT_EQ(detected_isa() == Isa::kAvx2, has(" avx2 ") && has(" fma "));
}

TEST(Isas, AreAscendingWithDistinctNames) {
  ASSERT_EQ(all_isas().size(), 2u);
  EXPECT_LT(all_isas()[0], all_isas()[1]);
  EXPECT_STREQ(isa_name(Isa::kScalar), "scalar");
  EXPECT_STREQ(isa_name(Isa::kAvx2), "avx2");
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
