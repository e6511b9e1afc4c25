// What the writers do to memory and to disks that are full.

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <csignal>
#include <numeric>

#include "engine/base/check.h"
#include "tests/engine/output/output_test.h"
#include "tests/support/allocations.h"

namespace penult {
namespace {

namespace fs = std::filesystem;
using testing::Features;

// `rows` rows of 4096 floats, eight at a time, as a run would.
Status write_rows(const std::string& path, int64_t rows, ElementType type) {
  constexpr int64_t kBatch = 8, kElems = 4096;
  std::vector<float> values(kBatch * kElems);
  std::iota(values.begin(), values.end(), 0.0f);
  const std::vector<std::string> paths(kBatch, "folder/picture.jpg"), labels(kBatch, "folder");
  const std::span<const float> table(values);
  PENULT_ASSIGN_OR_RETURN(auto writer, create_feature_writer({path, {{"tap", {kElems}}}, type}));
  for (int64_t i = 0; i < rows; i += kBatch) {
    PENULT_RETURN_IF_ERROR(writer->append(paths, labels, {&table, 1}));
  }
  return writer->finish("{}");
}

// Of this process, since it was last reset.
int64_t peak_kib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtoll(line.c_str() + 6, nullptr, 10);
  }
  return 0;
}

struct Kind {
  const char* ending;
  ElementType type;
};
constexpr Kind kKinds[] = {{".npz", ElementType::kF32},
                           {".npz", ElementType::kF16},
                           {".npy", ElementType::kF32},
                           {".npy", ElementType::kF16},
                           {".csv", ElementType::kF32}};

std::string kind_name(const ::testing::TestParamInfo<Kind>& test) {
  return std::string(test.param.ending + 1) + "_" + element_type_name(test.param.type);
}

class Memory : public testing::OutputTest, public ::testing::WithParamInterface<Kind> {};
INSTANTIATE_TEST_SUITE_P(Output, Memory, ::testing::ValuesIn(kKinds), kind_name);

TEST_P(Memory, DoesNotGrowWithTheFeatures) {
  if (!testing::kCountsAllocations) GTEST_SKIP() << "a sanitizer holds memory back";
  constexpr int64_t kRows = 8192;                 // 128 MiB of float32
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak starts anew
  const int64_t before = peak_kib();
  ASSERT_GT(before, 0);
  const Status status =
      write_rows(path(std::string("x") + GetParam().ending), kRows, GetParam().type);
  ASSERT_TRUE(status.ok()) << status.message();
  const uint64_t elem_bytes = GetParam().type == ElementType::kF16 ? 2 : 4;
  EXPECT_GE(fs::file_size(path(std::string("x") + GetParam().ending)), kRows * 4096 * elem_bytes);
  // A batch of 128 KiB, a buffer of 256 KiB, and 8192 paths and labels.
  EXPECT_LT(peak_kib() - before, 8 * 1024);
}

class BufferMemory : public testing::OutputTest {};

TEST_F(BufferMemory, OfHundredsOfTapsIsBounded) {
  if (!testing::kCountsAllocations) GTEST_SKIP() << "a sanitizer holds memory back";
  OutputSpec spec{.path = path("x.npz"), .tables = {}};
  constexpr int64_t kTaps = 400, kElems = 1000;
  for (int i = 0; i < kTaps; ++i) spec.tables.push_back({"tap" + std::to_string(i), {kElems}});
  const std::vector<float> row(kElems, 1.0f);
  const std::vector<std::span<const float>> tables(kTaps, row);
  const std::string name = "a.jpg";
  std::ofstream("/proc/self/clear_refs") << "5";
  const int64_t before = peak_kib();
  auto writer = create_feature_writer(spec);
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  for (int i = 0; i < 50; ++i) {  // 80 MB
    ASSERT_TRUE((*writer)->append({&name, 1}, {&name, 1}, tables).ok());
  }
  ASSERT_TRUE((*writer)->finish("{}").ok());
  EXPECT_LT(peak_kib() - before, 24 * 1024);
}

class FullDisk : public testing::OutputTest, public ::testing::WithParamInterface<Kind> {
 protected:
  std::string out() const { return path(std::string("x") + GetParam().ending); }
};
INSTANTIATE_TEST_SUITE_P(Output, FullDisk, ::testing::ValuesIn(kKinds), kind_name);

// A limit on file sizes acts as a full disk does.
TEST_P(FullDisk, ALimitOfFileSizeIsNoSpaceAndLeavesNothing) {
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{1000000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const Status status = write_rows(out(), 200, GetParam().type);
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(status.code(), StatusCode::kNoSpace) << status.message();
  EXPECT_EQ(files(), 0u);
}

// A disk of 4 MiB in a mount namespace of this process's own.
class SmallDisk : public FullDisk {
 protected:
  void SetUp() override {
    FullDisk::SetUp();
    mounted_ = (::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
               ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
               ::mount("penult", folder_.c_str(), "tmpfs", 0, "size=4m") == 0;
    if (!mounted_) GTEST_SKIP() << "may not mount";
  }
  void TearDown() override {
    if (mounted_) ::umount(folder_.c_str());
    FullDisk::TearDown();
  }
  uint64_t free_blocks() const {
    struct statvfs info {};
    EXPECT_EQ(::statvfs(folder_.c_str(), &info), 0);
    return info.f_bfree;
  }
  // Not even by files without a name.
  void expect_no_space(const Status& status, uint64_t free_before) const {
    EXPECT_EQ(status.code(), StatusCode::kNoSpace) << status.message();
    EXPECT_EQ(files(), 0u);
    EXPECT_EQ(free_blocks(), free_before);
  }
  bool mounted_ = false;
};
INSTANTIATE_TEST_SUITE_P(Output, SmallDisk, ::testing::ValuesIn(kKinds), kind_name);

TEST_P(SmallDisk, ThatIsFullIsNoSpaceAndNothingIsOccupied) {
  const uint64_t before = free_blocks();
  expect_no_space(write_rows(out(), 800, GetParam().type), before);
}

TEST_P(SmallDisk, ThatHasRoomForTheRowsButNotForWhatFollowsIsNoSpaceToo) {
  const uint64_t before = free_blocks();
  const std::string ending = GetParam().ending;
  if (ending == ".csv") return;  // nothing follows
  if (ending == ".npz") {        // the archive itself: 2.5 MiB twice
    const int64_t rows = GetParam().type == ElementType::kF16 ? 320 : 160;
    expect_no_space(write_rows(out(), rows, GetParam().type), before);
    return;
  }
  auto writer = create_feature_writer({out(), {{"tap", {1}}}, GetParam().type});
  ASSERT_TRUE(writer.ok());
  const std::vector<std::string> names(1000, std::string(3000, 'n'));
  const std::vector<float> values(names.size());
  const std::span<const float> table(values);
  ASSERT_TRUE((*writer)->append(names, names, {&table, 1}).ok());  // 6 MB of names
  const Status status = (*writer)->finish("{}");
  writer->reset();
  expect_no_space(status, before);
}

}  // namespace
}  // namespace penult
