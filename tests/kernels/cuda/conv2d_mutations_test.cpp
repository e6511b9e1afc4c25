// The checker finds each mistake that was planted into conv2d's kernels, and nothing in those that
// the library has.

#include "tests/kernels/cuda/conv2d_mutations.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>

#include "engine/base/text.h"
#include "kernels/cuda/device.h"
#include "tests/kernels/cuda/device_case.h"
#include "tests/kernels/kernel_case.h"

namespace penult::testing {
namespace {

using gpu::emulated::Options;
using gpu::emulated::Reports;
using kernels::Kernel;
using shapes::parse_problem;

constexpr int64_t kImages = 3;

class Conv2dMutations : public OnEmulatedDevice {
 protected:
  // Of one run; the kernel fails if, and only if, there are any.
  Reports reports_of(const Kernel& kernel, const char* problem, const Options& schedule) {
    const KernelCase c = KernelCase::make(parse_problem(problem), Numbers::kIntegers, kImages);
    gpu::emulated::set_options(schedule);
    const DeviceRun run = try_on_device(*device_, kernel, c, {kImages, kImages});
    const Reports reports = gpu::emulated::take_reports();
    EXPECT_EQ(run.status.ok(), reports.total() == 0) << kernel.name << ": " << text_of(schedule);
    return reports;
  }
};

TEST_F(Conv2dMutations, AreReported) {
  for (const Conv2dMutation& mutation : conv2d_mutations()) {
    int64_t expected = 0;
    std::string counts;
    for (const Options& schedule : schedules()) {
      const Reports reports = reports_of(mutation.kernel, mutation.problem, schedule);
      expected += reports[mutation.report];
      counts += text_of(schedule) + ":";
      for (const int64_t count : reports.counts) counts += concat(" ", count);
      counts += "\n";
    }
    EXPECT_GT(expected, 0) << mutation.kernel.name << ": no "
                           << gpu::emulated::kind_name(mutation.report) << " in\n"
                           << counts;
  }
}

TEST_F(Conv2dMutations, AreAllThatIsReported) {
  std::set<std::string> problems;
  for (const Conv2dMutation& mutation : conv2d_mutations()) problems.insert(mutation.problem);
  for (const std::string& problem : problems) {
    for (const Options& schedule : schedules()) {
      for (const Kernel& kernel : conv2d_f16_tiles())
        EXPECT_EQ(reports_of(kernel, problem.c_str(), schedule).total(), 0) << problem;
      EXPECT_EQ(reports_of(conv2d_f32_tile(), problem.c_str(), schedule).total(), 0) << problem;
    }
  }
}

}  // namespace
}  // namespace penult::testing
