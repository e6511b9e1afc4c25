// kernels_bench shows every kernel there is, and runs each of them.

#include <algorithm>
#include <map>
#include <set>

#include "kernels/kernel.h"
#include "kernels/onednn/load.h"
#include "tests/bench/run_benchmarks.h"
#include "tests/support/onednn_test.h"
#include "tests/support/tiny_model.h"

namespace penult::testing {
namespace {

using kernels::Backend;
using kernels::Kernel;
using kernels::Table;

constexpr const char* kProgram = PENULT_KERNELS_BENCH;

std::vector<std::string> list(const std::string& arguments) {
  return list_benchmarks(kProgram, arguments);
}

// The kernels in a list of rows, as tables spell them: conv2d/igemm_f32_avx2/... of the table
// conv2d is conv2d_igemm_f32_avx2.
std::set<std::string> kernels_of(const std::vector<std::string>& rows) {
  std::set<std::string> names;
  for (std::string row : rows) {
    const size_t slash = row.find('/');
    row.resize(row.find('/', slash + 1));
    row[slash] = '_';
    names.insert(row);
  }
  return names;
}

std::set<std::string> usable_kernels(std::span<const Table> tables, bool with_references) {
  std::set<std::string> names;
  for (const Table& table : tables) {
    for (const Kernel& kernel : table.kernels) {
      const bool is_reference = kernel.backend == Backend::kReference;
      if (is_supported(kernel.isa) && (with_references || !is_reference)) names.insert(kernel.name);
    }
  }
  return names;
}

std::set<std::string> without_onednn(std::set<std::string> names) {
  std::erase_if(names, [](const std::string& name) { return name.ends_with("_onednn"); });
  return names;
}

TEST(KernelsBench, ListsEveryUsableKernelOfEveryTable) {
  EXPECT_EQ(without_onednn(kernels_of(list("--threads=1"))),
            usable_kernels(kernels::all_tables(), false));
}

TEST(KernelsBench, ListsTheReferencesWhenAsked) {
  EXPECT_EQ(without_onednn(kernels_of(list("--threads=1 --reference"))),
            usable_kernels(kernels::all_tables(), true));
}

TEST(KernelsBench, GivesEachRowANameOfItsOwn) {
  const std::vector<std::string> rows = list("--corpora=others,tails --batches=1,8 --threads=1,2");
  EXPECT_EQ(std::set<std::string>(rows.begin(), rows.end()).size(), rows.size());
  EXPECT_TRUE(std::all_of(rows.begin(), rows.end(), [](const std::string& row) {
    return row.find(' ') == std::string::npos;
  }));
}

// Of each kernel the last row, with two threads: in others.txt if the kernel has any there.
std::string filter_for_each_kernel() {
  std::map<std::string, std::string> rows;
  for (const std::string& row : list("--threads=2 --reference"))
    rows[*kernels_of({row}).begin()] = row;
  std::string filter;
  for (const auto& [kernel, row] : rows) filter += (filter.empty() ? "^(" : "|") + row;
  return filter + ")$";
}

TEST(KernelsBench, TimesEveryKernel) {
  const auto rows = run_benchmarks(
      kProgram, "--threads=2 --reference '--benchmark_filter=" + filter_for_each_kernel() + "'");
  std::vector<std::string> names;
  for (const auto& row : rows) {
    names.push_back(row["name"]);
    if (row.contains("GB/s")) {
      EXPECT_GT(row["GB/s"], 0) << row.dump();
      continue;
    }
    ASSERT_TRUE(row.contains("GFLOP/s") && row.contains("of_peak")) << row.dump();
    EXPECT_GT(row["of_peak"], 0) << row.dump();
  }
  EXPECT_EQ(kernels_of(names), kernels_of(list("--threads=2 --reference")));
}

TEST(KernelsBench, TimesBatchesAndColdCaches) {
  const auto rows = run_benchmarks(
      kProgram, "--cold --corpora=others --batches=3 --threads=1 --benchmark_filter=flatten");
  ASSERT_EQ(rows.size(), 2U);
  for (const auto& row : rows) {
    const std::string name = row["name"];
    EXPECT_NE(name.find("/batch:3/threads:1/"), std::string::npos) << name;
    EXPECT_TRUE(name.ends_with("/manual_time")) << name;
    EXPECT_GT(row["GB/s"], 0) << name;
  }
}

TEST(KernelsBench, ReadsCorporaFromAnotherFolder) {
  const TemporaryFile file("mine.txt");
  file.write("softmax src=10\n");
  const std::string folder = file.path().substr(0, file.path().rfind('/'));
  const std::vector<std::string> rows = list("--threads=1 --shapes=" + folder);
  EXPECT_FALSE(rows.empty());
  for (const std::string& row : rows)
    EXPECT_NE(row.find("/mine/src=10/batch:1/threads:1/"), std::string::npos) << row;
}

TEST(KernelsBench, RefusesWhatItDoesNotKnow) {
  for (const char* arguments : {"--no-such-option", "file", "--threads=0", "--threads=two",
                                "--corpora=no_such_corpus", "--shapes=/no/such/folder"}) {
    EXPECT_EQ(run_program(kProgram, arguments).exit, 2) << arguments;
  }
}

class KernelsBenchOnednn : public OnednnTest<> {};

TEST_F(KernelsBenchOnednn, ListsEveryRowOfTheModule) {
  const std::set<std::string> listed = kernels_of(list("--threads=1"));
  for (const std::string& name : usable_kernels(module_->tables, false))
    EXPECT_TRUE(listed.contains(name)) << name;
}

}  // namespace
}  // namespace penult::testing
