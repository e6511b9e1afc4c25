#include "engine/model/truncate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model/loader.h"
#include "engine/model/writer.h"
#include "penult/extractor.h"
#include "tests/support/tiny_model.h"

namespace penult {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> tap_names(const ModelData& model) {
  std::vector<std::string> names;
  for (const Tap& tap : model.taps) names.push_back(tap.name);
  return names;
}

ModelData truncated(const ModelData& model, std::vector<int> taps) {
  Result<ModelData> part = truncate_model(model, taps);
  EXPECT_TRUE(part.ok()) << part.status().message();
  return std::move(part).value();
}

// The features of one tap of a model in a file.
std::vector<float> features_of(const std::string& path, const std::string& tap) {
  const auto model = Model::load(path);
  EXPECT_TRUE(model.ok()) << model.status().message();
  ExtractorOptions options;
  options.taps = {tap};
  options.pooling = Pooling::kNone;
  options.max_batch = 1;
  auto extractor = Extractor::create(*model, options);
  EXPECT_TRUE(extractor.ok()) << tap << ": " << extractor.status().message();
  std::vector<float> image(static_cast<size_t>(3 * (*model)->input_h() * (*model)->input_w()));
  for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i % 17) / 8.0f - 1.0f;
  std::vector<float> features(static_cast<size_t>((*extractor)->outputs()[0].elems));
  const std::span<float> out[] = {features};
  EXPECT_TRUE((*extractor)->run(image, 1, out).ok());
  return features;
}

// Taps of the tiny model: stem.0 stem.1 stem block.conv block.add pool classifier.
TEST(Truncate, DropsWhatTheTapDoesNotNeed) {
  const ModelData whole = testing::tiny_model();
  const ModelData part = truncated(whole, {2});
  EXPECT_THAT(tap_names(part), ElementsAre("stem.0", "stem.1", "stem"));
  EXPECT_EQ(part.graph.nodes.size(), 3u);
  EXPECT_EQ(part.graph.values.size(), 4u);   // and the input
  EXPECT_EQ(part.graph.weights.size(), 5u);  // one convolution, four of batchnorm
}

TEST(Truncate, LeavesOutSideBranches) {
  ModelData whole = testing::tiny_model();
  const ValueId x = whole.graph.nodes[2].output;
  const ValueId side = whole.graph.add_node(*whole.graph.nodes[2].op, "side", {x});
  whole.taps.push_back({"side", side});
  const ModelData part = truncated(whole, {7});
  EXPECT_THAT(tap_names(part), ElementsAre("stem.0", "stem.1", "stem", "side"));
}

TEST(Truncate, PenultimateIsGoneWithItsTap) {
  const ModelData whole = testing::tiny_model();
  EXPECT_EQ(resolve_tap(truncated(whole, {0, 4}), "penultimate").status().code(),
            StatusCode::kNotFound);
  EXPECT_THAT(*resolve_tap(truncated(whole, {6}), "penultimate"),
              ElementsAre(5));  // is still there
}

TEST(Truncate, AliasesAndGroupsShrink) {
  const ModelData whole = testing::tiny_model();
  const ModelData part = truncated(whole, {2});
  EXPECT_THAT(*resolve_tap(part, "stem.2"), ElementsAre(2));
  EXPECT_THAT(*resolve_tap(part, "blocks"), ElementsAre(2));
  EXPECT_THAT(truncated(whole, {0}).groups, IsEmpty());
}

TEST(Truncate, NeedsATap) {
  EXPECT_EQ(truncate_model(testing::tiny_model(), {}).status().code(),
            StatusCode::kInvalidArgument);
}

TEST(Truncate, AFileHasTheBitsOfTheWholeAtEveryTap) {
  ModelData whole = testing::tiny_model();
  const testing::TemporaryFile whole_file("whole.penult");
  ASSERT_TRUE(write_model(whole, whole_file.path(), Existing::kReplaced).ok());
  for (int cut = 0; cut < static_cast<int>(whole.taps.size()); ++cut) {
    Result<ModelData> loaded = load_model(whole_file.path());
    ASSERT_TRUE(loaded.ok()) << loaded.status().message();
    ModelData part = truncated(*loaded, {cut});
    const testing::TemporaryFile part_file("part.penult");
    const Status written = write_model(part, part_file.path(), Existing::kReplaced);
    ASSERT_TRUE(written.ok()) << written.message();
    for (const std::string& tap : tap_names(part)) {
      EXPECT_EQ(features_of(part_file.path(), tap), features_of(whole_file.path(), tap))
          << tap << " of the file cut at " << whole.taps[static_cast<size_t>(cut)].name;
    }
    const bool is_whole = part.graph.nodes.size() == whole.graph.nodes.size();
    EXPECT_EQ(part.info.model_id == whole.info.model_id, is_whole);
  }
}

}  // namespace
}  // namespace penult
