#include "engine/output/feature_writer.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "engine/base/file.h"
#include "engine/output/npy.h"

namespace penult {
namespace {

namespace fs = std::filesystem;

class FeatureWriter : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("penult_output_test." + std::to_string(::getpid()));
    fs::create_directory(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string content(const std::string& name) const {
    std::ifstream in(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }

  Features two_rows() const {
    return {.tables = {{"features.14", {3}, {1, 2, 3, 4, 5, 6}}, {"map", {1, 1, 2}, {7, 8, 9, 10}}},
            .paths = {"a.jpg", "b\xff.jpg"},
            .labels = {"cat", ""},
            .provenance = R"({"model": "m"})"};
  }
  fs::path folder_;
};

TEST(NpyHeader, IsPaddedTo64BytesAndEndsWithANewline) {
  for (const auto& dims : std::vector<std::vector<int64_t>>{{}, {0}, {5}, {1000000, 3, 224, 224}}) {
    const std::string header = npy_header("<f4", dims);
    EXPECT_EQ(header.size() % 64, 0u);
    EXPECT_EQ(header.back(), '\n');
    EXPECT_EQ(header.substr(1, 5), "NUMPY");
  }
  EXPECT_NE(npy_header("<f4", {5}).find("'shape': (5,), "), std::string::npos);
  EXPECT_NE(npy_header("<f4", {5, 2}).find("'shape': (5, 2), "), std::string::npos);
  EXPECT_NE(npy_header("<f4", {}).find("'shape': (), "), std::string::npos);
}

TEST(NpyStrings, InvalidBytesAreEscapedAsPythonDoes) {
  const std::vector<std::string> texts = {"\xff", "é", ""};
  const std::string npy = npy_strings(texts);
  const std::string data = npy.substr(npy.size() - 12);
  EXPECT_EQ(data, std::string("\xff\xdc\0\0\xe9\0\0\0\0\0\0\0", 12));
  EXPECT_NE(npy.find("<U1"), std::string::npos);
}

TEST_F(FeatureWriter, NpzIsTheSameBytesEveryTime) {
  ASSERT_TRUE(write_npz(two_rows(), path("a.npz")).ok());
  ASSERT_TRUE(write_npz(two_rows(), path("b.npz")).ok());
  EXPECT_EQ(content("a.npz"), content("b.npz"));
  EXPECT_NE(content("a.npz").find("features.14.npy"), std::string::npos);
  EXPECT_EQ(files(), 2u);  // no leftovers
}

TEST_F(FeatureWriter, NpyAndJsonStandSideBySide) {
  Features features = two_rows();
  features.tables.pop_back();
  ASSERT_TRUE(write_npy(features, path("x.npy")).ok());
  const std::string npy = content("x.npy");
  EXPECT_EQ(npy.size(), 128u + 24u);
  EXPECT_EQ(std::memcmp(npy.data() + 128, features.tables[0].values.data(), 24), 0);
  EXPECT_NE(content("x.json").find("\"model\": \"m\""), std::string::npos);
}

TEST_F(FeatureWriter, SeveralTapsDoNotFitAnNpy) {
  EXPECT_EQ(write_npy(two_rows(), path("x.npy")).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(files(), 0u);
}

TEST_F(FeatureWriter, AKeyThatIsNoEntryNameIsRefusedAndLeavesNothing) {
  for (const char* key : {"a/b", "..\\x", "paths", "line\nbreak", ""}) {
    Features features = two_rows();
    features.tables[0].key = key;
    EXPECT_EQ(write_npz(features, path("x.npz")).code(), StatusCode::kInvalidArgument) << key;
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(FeatureWriter, AFullDiskIsNoSpaceAndLeavesNothing) {
  Features features = two_rows();
  features.tables[0].values.assign(300000, 1.0f);
  features.tables[0].dims = {150000};
  // A limit on file sizes acts as a full disk does.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit small{100000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const Status npz = write_npz(features, path("x.npz"));
  features.tables.pop_back();
  const Status npy = write_npy(features, path("x.npy"));
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(npz.code(), StatusCode::kNoSpace) << npz.message();
  EXPECT_EQ(npy.code(), StatusCode::kNoSpace) << npy.message();
  EXPECT_EQ(files(), 0u);
}

TEST_F(FeatureWriter, ErrorsAreQuotedForSpreadsheets) {
  const FailedInput failures[] = {{"a,b.jpg", StatusCode::kImageCorrupt, "says \"no\""},
                                  {"c.jpg", StatusCode::kNotFound, "plain"}};
  Result<AtomicFile> staged = stage_errors_csv(failures, path("errors.csv"));
  ASSERT_TRUE(staged.ok());
  EXPECT_FALSE(fs::exists(path("errors.csv")));
  ASSERT_TRUE(staged->commit().ok());
  EXPECT_EQ(content("errors.csv"),
            "path,code,reason\r\n\"a,b.jpg\",ImageCorrupt,\"says \"\"no\"\"\"\r\n"
            "c.jpg,NotFound,plain\r\n");
}

}  // namespace
}  // namespace penult
