#include <gmock/gmock.h>

#include "engine/model/writer.h"
#include "tests/bench/run_benchmarks.h"
#include "tests/support/environment.h"
#include "tests/support/onednn_test.h"
#include "tests/support/tiny_model.h"

namespace penult::testing {
namespace {

using ::testing::ElementsAre;

constexpr const char* kProgram = PENULT_NETS_BENCH;

class NetsBench : public ::testing::Test {
 protected:
  void SetUp() override {
    ModelData model = tiny_model();
    const Status written = write_model(model, file_.path(), Existing::kReplaced);
    ASSERT_TRUE(written.ok()) << written.message();
  }

  std::string folder() const { return file_.path().substr(0, file_.path().rfind('/')); }

  const TemporaryFile file_{"tiny.penult"};
};

TEST_F(NetsBench, TimesRunsAndCreationForEachTap) {
  const auto rows =
      run_benchmarks(kProgram, file_.path() + " --backends=native --batches=1,3 --threads=2");
  std::vector<std::string> names;
  for (const auto& row : rows) {
    names.push_back(row["name"]);
    const bool is_run = names.back().starts_with("run/");
    for (const char* counter : {"images/s", "GFLOP/s", "of_peak"})
      EXPECT_EQ(row.contains(counter), is_run) << row.dump();
    EXPECT_GT(row[is_run ? "images/s" : "MB"], 0) << row.dump();
  }
  EXPECT_THAT(names, ElementsAre("create/tiny/penultimate/native/real_time",
                                 "run/tiny/penultimate/native/batch:1/threads:2/real_time",
                                 "run/tiny/penultimate/native/batch:3/threads:2/real_time",
                                 "create/tiny/block.add/native/real_time",
                                 "run/tiny/block.add/native/batch:1/threads:2/real_time",
                                 "run/tiny/block.add/native/batch:3/threads:2/real_time"));
}

TEST_F(NetsBench, TakesTheTapsAskedFor) {
  EXPECT_THAT(list_benchmarks(kProgram, file_.path() + " --taps=stem --backends=native --batches=1 "
                                                       "--threads=1"),
              ElementsAre("create/tiny/stem/native/real_time",
                          "run/tiny/stem/native/batch:1/threads:1/real_time"));
}

TEST_F(NetsBench, FindsNetworksInTheAssets) {
  const ScopedVariable assets("PENULT_ASSETS", folder().c_str());
  EXPECT_EQ(list_benchmarks(kProgram, ""), list_benchmarks(kProgram, file_.path()));
}

TEST_F(NetsBench, RefusesWhatItCannotTime) {
  const ScopedVariable assets("PENULT_ASSETS", nullptr);
  for (const std::string& arguments :
       {std::string(), folder() + "/gone.penult", file_.path() + " --taps=gone",
        file_.path() + " --taps=blocks", file_.path() + " --gone"}) {
    EXPECT_EQ(run_program(kProgram, arguments).exit, 2) << arguments;
  }
}

class NetsBenchOnednn : public OnednnTest<NetsBench> {
 protected:
  void SetUp() override {
    NetsBench::SetUp();
    OnednnTest<NetsBench>::SetUp();
  }
};

TEST_F(NetsBenchOnednn, TimesTheOtherBackend) {
  const auto rows =
      run_benchmarks(kProgram, file_.path() + " --batches=2 --threads=2 --taps=penultimate");
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[3]["name"], "run/tiny/penultimate/onednn/batch:2/threads:2/real_time");
}

}  // namespace
}  // namespace penult::testing
