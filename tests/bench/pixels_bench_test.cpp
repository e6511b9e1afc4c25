// pixels_bench times every level that there is here, and both ways into a network.

#include <set>

#include "engine/base/cpu_features.h"
#include "tests/bench/run_benchmarks.h"

namespace penult::testing {
namespace {

constexpr const char* kProgram = PENULT_PIXELS_BENCH;

TEST(PixelsBench, TimesTheCropAtEveryLevel) {
  std::set<std::string> expected, seen;
  for (const Isa isa : all_isas()) {
    if (is_supported(isa) && isa != Isa::kPortable16) expected.insert(isa_name(isa));
  }
  for (const auto& row :
       run_benchmarks(kProgram, "--benchmark_filter='^crop/(500x375|300x200)/'")) {
    EXPECT_GT(row["images/s"], 0) << row.dump();
    const std::string name = row["name"];
    const size_t end = name.rfind('/'), begin = name.rfind('/', end - 1) + 1;
    seen.insert(name.substr(begin, end - begin));  // crop/SIZE/FILTER/LEVEL/real_time
  }
  EXPECT_EQ(seen, expected);
}

TEST(PixelsBench, TimesBothWaysIntoTheNetwork) {
  std::set<std::string> seen;
  for (const auto& row : run_benchmarks(kProgram, "--benchmark_filter=^input/")) {
    EXPECT_GT(row["images/s"], 0) << row.dump();
    seen.insert(row["name"]);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"input/floats/real_time", "input/rgb8/real_time"}));
}

TEST(PixelsBench, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(run_program(kProgram, "--no-such-option").exit, 2);
}

}  // namespace
}  // namespace penult::testing
