#include "engine/output/feature_writer.h"

#include <gmock/gmock.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "engine/output/npy.h"
#include "tests/engine/output/output_test.h"

namespace penult {
namespace {

namespace fs = std::filesystem;
using testing::Features;
using ::testing::HasSubstr;
using testing::one_tap;
using testing::two_rows;
using testing::write;

class FeatureWriters : public testing::OutputTest {};

// One for each format, which an additional row of the table extends.
class EveryFormat : public testing::OutputTest,
                    public ::testing::WithParamInterface<const OutputFormat*> {
 protected:
  std::string out(const std::string& stem = "x") const { return path(stem + GetParam()->ending); }
};
INSTANTIATE_TEST_SUITE_P(Output, EveryFormat, ::testing::ValuesIn([] {
                           std::vector<const OutputFormat*> formats;
                           for (const OutputFormat& f : output_formats()) formats.push_back(&f);
                           return formats;
                         }()),
                         [](const auto& test) { return std::string(test.param->ending + 1); });

TEST(NpyHeader, IsPaddedTo64BytesAndEndsWithANewline) {
  for (const auto& dims : std::vector<std::vector<int64_t>>{{}, {0}, {5}, {1000000, 3, 224, 224}}) {
    const std::string header = npy_header("<f4", dims);
    EXPECT_EQ(header.size() % 64, 0u);
    EXPECT_EQ(header.back(), '\n');
    EXPECT_EQ(header.substr(1, 5), "NUMPY");
    EXPECT_EQ(npy_header("<f4", dims, 192).size(), 192u);
  }
  EXPECT_NE(npy_header("<f4", {5}).find("'shape': (5,), "), std::string::npos);
  EXPECT_NE(npy_header("<f4", {5, 2}).find("'shape': (5, 2), "), std::string::npos);
  EXPECT_NE(npy_header("<f4", {}).find("'shape': (), "), std::string::npos);
}

TEST_P(EveryFormat, AppearsOnlyWhenItIsComplete) {
  const Features features = one_tap();
  auto writer = create_feature_writer({out(), features.tables});
  ASSERT_TRUE(writer.ok()) << writer.status().message();
  ASSERT_TRUE((*writer)->append(features.paths, features.labels, features.spans()).ok());
  const auto names = output_files(out());
  for (const std::string& name : *names) EXPECT_FALSE(fs::exists(name)) << name;
  ASSERT_TRUE((*writer)->finish("{}").ok());
  writer->reset();
  for (const std::string& name : *names) EXPECT_TRUE(fs::exists(name)) << name;
  EXPECT_EQ(files(), names->size());
}

TEST_P(EveryFormat, LeavesNothingAndReplacesNothingUnlessItIsFinished) {
  const auto names = output_files(out());
  for (const std::string& name : *names) std::ofstream(name) << "old";
  const size_t before = files();
  const Features features = one_tap();
  {
    auto writer = create_feature_writer({out(), features.tables});
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->append(features.paths, features.labels, features.spans()).ok());
  }
  EXPECT_EQ(files(), before);
  EXPECT_EQ(content(std::string("x") + GetParam()->ending), "old");
}

TEST_P(EveryFormat, IsTheSameBytesHoweverTheRowsArrive) {
  Features all = one_tap();
  all.tables[0].dims = {1000};
  all.values[0].clear();
  all.paths.clear();
  for (int i = 0; i < 300; ++i) all.paths.push_back("p" + std::to_string(i));
  all.labels.assign(300, "l");
  for (int i = 0; i < 300000; ++i) all.values[0].push_back(static_cast<float>(i) / 7);
  ASSERT_TRUE(write(all, out("whole")).ok());
  for (const size_t step : {1, 7, 299}) {
    auto writer = create_feature_writer({out("steps"), all.tables});
    ASSERT_TRUE(writer.ok());
    for (size_t i = 0; i < 300; i += step) {
      const size_t n = std::min(step, 300 - i);
      const std::span<const float> part = std::span(all.values[0]).subspan(i * 1000, n * 1000);
      ASSERT_TRUE((*writer)
                      ->append(std::span(all.paths).subspan(i, n),
                               std::span(all.labels).subspan(i, n), {&part, 1})
                      .ok());
    }
    EXPECT_EQ((*writer)->rows(), 300);
    ASSERT_TRUE((*writer)->finish(R"({"model": "m"})").ok());
    EXPECT_EQ(content(std::string("steps") + GetParam()->ending),
              content(std::string("whole") + GetParam()->ending))
        << step;
  }
}

TEST_P(EveryFormat, TakesNoRowsWhoseSizesDoNotAgreeAndStaysUsable) {
  const Features features = one_tap();
  auto writer = create_feature_writer({out(), features.tables});
  ASSERT_TRUE(writer.ok());
  const auto spans = features.spans();
  const std::span paths(features.paths), labels(features.labels);
  const auto code = [&](auto p, auto l, auto tables) {
    return (*writer)->append(p, l, tables).code();
  };
  const std::vector<std::span<const float>> two = {spans[0], spans[0]}, none;
  EXPECT_EQ(code(paths.first(1), labels.first(1), spans), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(paths, labels.first(1), spans), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(paths, labels, two), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(paths, labels, none), StatusCode::kInvalidArgument);
  EXPECT_EQ((*writer)->rows(), 0);
  EXPECT_EQ(code(paths, labels, spans), StatusCode::kOk);
  EXPECT_TRUE((*writer)->finish(R"({"model": "m"})").ok());
  EXPECT_EQ((*writer)->finish("{}").code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(code(paths, labels, spans), StatusCode::kInvalidArgument);
  ASSERT_TRUE(write(features, out("plain")).ok());
  EXPECT_EQ(content(std::string("x") + GetParam()->ending),
            content(std::string("plain") + GetParam()->ending));
}

TEST_P(EveryFormat, SaysAtTheStartWhatIsInTheWay) {
  fs::create_directory(out("folder"));
  EXPECT_EQ(write(one_tap(), out("folder")).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(create_feature_writer({path("gone/x") + GetParam()->ending, one_tap().tables})
                .status()
                .code(),
            StatusCode::kNotFound);
  EXPECT_EQ(create_feature_writer({out(), {{"a", {0}}}}).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(files(), 1u);
}

TEST_P(EveryFormat, HoldsSeveralTapsAndF16OrSaysWhatDoes) {
  const Status several = write(two_rows(), out("several"));
  EXPECT_EQ(several.ok(), GetParam()->several_taps) << several.message();
  if (!several.ok()) {
    EXPECT_THAT(several.message(), HasSubstr("use .npz or .csv for several"));
  }
  const Status f16 = write(one_tap(), out("f16"), ElementType::kF16);
  EXPECT_EQ(f16.ok(), GetParam()->f16) << f16.message();
  if (!f16.ok()) {
    EXPECT_THAT(f16.message(), HasSubstr("use .npz or .npy"));
  }
}

TEST_F(FeatureWriters, AnUnknownEndingIsRefusedWithTheKnownOnes) {
  for (const char* name : {"x", "x.npz2", "x.NPZ", "npz"}) {
    const Status status = write(one_tap(), path(name));
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("expected a name in .npz, .npy or .csv"));
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(FeatureWriters, AKeyThatIsNoEntryNameIsRefusedAndLeavesNothing) {
  for (const char* key : {"a/b", "..\\x", "paths", "line\nbreak", "", "map"}) {
    Features features = two_rows();  // the other one is "map"
    features.tables[0].key = key;
    EXPECT_EQ(write(features, path("x.npz")).code(), StatusCode::kInvalidArgument) << key;
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(FeatureWriters, NpyAndJsonStandSideBySide) {
  ASSERT_TRUE(write(one_tap(), path("x.npy")).ok());
  const std::string npy = content("x.npy");
  EXPECT_EQ(npy.substr(0, 128), npy_header("<f4", {2, 3}, 128));
  EXPECT_EQ(npy.size(), 128u + 24u);
  EXPECT_EQ(std::memcmp(npy.data() + 128, one_tap().values[0].data(), 24), 0);
  EXPECT_EQ(content("x.json"),
            "{\n \"provenance\": {\n  \"model\": \"m\"\n },\n \"paths\": [\n  \"a.jpg\",\n"
            "  \"b\\udcff.jpg\"\n ],\n \"labels\": [\n  \"cat\",\n  \"\"\n ]\n}\n");
}

TEST_F(FeatureWriters, AJsonThatCannotBeRenamedLeavesNoNpy) {
  auto writer = create_feature_writer({path("x.npy"), one_tap().tables});
  ASSERT_TRUE(writer.ok());
  fs::create_directories(path("x.json/in the way"));
  EXPECT_EQ((*writer)->finish("{}").code(), StatusCode::kIo);
  writer->reset();
  EXPECT_EQ(files(), 1u);
}

TEST_F(FeatureWriters, AnNpyThatCannotBeRenamedLeavesNoJson) {
  auto writer = create_feature_writer({path("x.npy"), one_tap().tables});
  ASSERT_TRUE(writer.ok());
  fs::create_directories(path("x.npy/in the way"));
  EXPECT_EQ((*writer)->finish("{}").code(), StatusCode::kIo);
  writer->reset();
  EXPECT_EQ(files(), 1u);
}

TEST_P(EveryFormat, KeepsAFileThatCameMeanwhile) {
  const Features features = one_tap();
  const auto names = output_files(out());
  for (const std::string& taken : *names) {
    auto writer =
        create_feature_writer({out(), features.tables, ElementType::kF32, Existing::kKept});
    ASSERT_TRUE(writer.ok()) << writer.status().message();
    ASSERT_TRUE((*writer)->append(features.paths, features.labels, features.spans()).ok());
    std::ofstream(taken) << "theirs";
    EXPECT_EQ((*writer)->finish("{}").code(), StatusCode::kInvalidArgument);
    writer->reset();
    EXPECT_EQ(content(fs::path(taken).filename()), "theirs");
    EXPECT_EQ(files(), 1u);
    fs::remove(taken);
  }
}

TEST_F(FeatureWriters, F16CountsWhatBecomesInfinity) {
  Features features = one_tap();
  const float inf = std::numeric_limits<float>::infinity();
  features.values[0] = {1.0f, 65519.0f, 65520.0f, -70000.0f, inf, NAN};
  auto writer = create_feature_writer({path("x.npy"), features.tables, ElementType::kF16});
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->append(features.paths, features.labels, features.spans()).ok());
  EXPECT_EQ((*writer)->overflows(), 2u);
  ASSERT_TRUE((*writer)->finish("{}").ok());
  const std::string npy = content("x.npy");
  EXPECT_EQ(npy.substr(0, 128), npy_header("<f2", {2, 3}, 128));
  EXPECT_EQ(npy.substr(128), std::string("\x00\x3c\xff\x7b\x00\x7c\x00\xfc\x00\x7c\x00\x7e", 12));
}

TEST_F(FeatureWriters, CsvQuotesNamesAndWritesTheShortestNumbers) {
  Features features = two_rows();
  features.tables[0].key = "a,b";
  features.paths[0] = "say \"hi\".jpg";
  features.labels[0] = "x,y";
  features.values[0] = {0.1f, -0.0f, 16777216.0f, 1e-45f, NAN, -1e30f};
  ASSERT_TRUE(write(features, path("x.csv")).ok());
  EXPECT_EQ(content("x.csv"),
            "path,label,\"a,b_0\",\"a,b_1\",\"a,b_2\",map_0,map_1\r\n"
            "\"say \"\"hi\"\".jpg\",\"x,y\",0.1,-0,16777216,7,8\r\n"
            "b\xff.jpg,,1e-45,nan,-1e+30,9,10\r\n");
}

TEST_F(FeatureWriters, ErrorsAreQuotedForSpreadsheets) {
  const FailedInput failures[] = {{"a,b.jpg", StatusCode::kImageCorrupt, "says \"no\""},
                                  {"c.jpg", StatusCode::kNotFound, "plain"}};
  Result<AtomicFile> staged = stage_errors_csv(failures, path("errors.csv"), Existing::kReplaced);
  ASSERT_TRUE(staged.ok());
  EXPECT_FALSE(fs::exists(path("errors.csv")));
  ASSERT_TRUE(staged->commit().ok());
  EXPECT_EQ(content("errors.csv"),
            "path,code,reason\r\n\"a,b.jpg\",ImageCorrupt,\"says \"\"no\"\"\"\r\n"
            "c.jpg,NotFound,plain\r\n");
}

}  // namespace
}  // namespace penult
