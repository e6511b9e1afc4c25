// A file cut behind a tap gives the bits that the whole model gives there: as a map and averaged,
// by the tap's own name and, where it is still in the file, as `penultimate`. All networks, at 64
// pixels, in the best ISA class of the machine: the cut is made before any kernel is chosen. ctest
// runs a sample of the taps; tests/e2e/bits_matrix.sh each of them (PENULT_FULL_MATRIX=1).

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>

#include "engine/model/model_data.h"
#include "engine/model/truncate.h"
#include "engine/model/writer.h"
#include "penult/extractor.h"
#include "tests/support/every_net.h"
#include "tests/support/tiny_model.h"

namespace penult {
namespace {

using testing::EveryNet;

constexpr int64_t kSize = 64;

// Without a factor in common with the taps of a block; a large file takes a second.
size_t step_for(const EveryNet& net) {
  if (std::getenv("PENULT_FULL_MATRIX") != nullptr) return 1;
  return net.heavy ? 61 : 17;
}

// Of one tap and one picture. Nothing after a test failure.
std::optional<std::vector<float>> features(const std::shared_ptr<const Model>& model,
                                           const std::string& tap, Pooling pooling,
                                           const std::vector<float>& image) {
  ExtractorOptions options;
  options.taps = {tap};
  options.pooling = pooling;
  options.max_batch = 1;
  options.input_h = options.input_w = kSize;
  const auto extractor = Extractor::create(model, options);
  EXPECT_TRUE(extractor.ok()) << tap << ": " << extractor.status().message();
  if (!extractor.ok()) return {};
  std::vector<float> values(static_cast<size_t>((*extractor)->outputs()[0].elems), NAN);
  const std::span<float> out[] = {values};
  const Status status = (*extractor)->run(image, 1, out);
  EXPECT_TRUE(status.ok()) << tap << ": " << status.message();
  if (!status.ok()) return {};
  return values;
}

class TruncatedFiles : public ::testing::TestWithParam<EveryNet> {
 protected:
  void SetUp() override {
    testing::skip_without_assets(GetParam());
    if (IsSkipped() || HasFatalFailure()) return;
    whole_ = testing::load_net(GetParam());
    ASSERT_NE(whole_, nullptr);
    image_ = testing::pictures(GetParam(), *whole_, kSize, 1);
    const auto penultimate = whole_->resolve("penultimate");
    ASSERT_TRUE(penultimate.ok());
    penultimate_ = penultimate->front();
  }

  // The model cut behind a tap, through a file. Null after a test failure.
  std::shared_ptr<const Model> cut_behind(int tap) const {
    auto part = truncate_model(whole_->data(), std::span(&tap, 1));
    EXPECT_TRUE(part.ok()) << part.status().message();
    if (!part.ok()) return nullptr;
    const testing::TemporaryFile file("part.penult");
    const Status written = write_model(*part, file.path(), Existing::kReplaced);
    EXPECT_TRUE(written.ok()) << written.message();
    auto model = written.ok() ? Model::load(file.path()) : written;
    EXPECT_TRUE(model.ok()) << model.status().message();
    return model.ok() ? *model : nullptr;
  }

  void compare(const std::shared_ptr<const Model>& part, const std::string& name,
               const std::string& whole_name) {
    for (const Pooling pooling : {Pooling::kNone, Pooling::kAvg, Pooling::kGem}) {
      const auto got = features(part, name, pooling, image_);
      const auto want = features(whole_, whole_name, pooling, image_);
      ASSERT_TRUE(got && want);
      ASSERT_EQ(got->size(), want->size());
      ++comparisons_;
      if (std::memcmp(got->data(), want->data(), want->size() * sizeof(float)) == 0) continue;
      ++mismatches_;
      ADD_FAILURE() << name << " of the file cut behind " << whole_name << ", "
                    << pooling_name(pooling);
    }
  }

  std::shared_ptr<const Model> whole_;
  std::vector<float> image_;
  std::string penultimate_;  // its main name
  int comparisons_ = 0, mismatches_ = 0;
};

TEST_P(TruncatedFiles, HaveTheBitsOfTheWholeModel) {
  const std::vector<Tap>& taps = whole_->data().taps;
  int smaller = 0, with_penultimate = 0;
  for (size_t t = 0; t < taps.size(); ++t) {
    const bool is_penultimate = taps[t].name == penultimate_;
    if (t % step_for(GetParam()) != 0 && !is_penultimate) continue;
    const auto part = cut_behind(static_cast<int>(t));
    ASSERT_NE(part, nullptr) << taps[t].name;
    smaller += part->data().graph.nodes.size() < whole_->data().graph.nodes.size();
    ASSERT_NO_FATAL_FAILURE(compare(part, taps[t].name, taps[t].name));
    const auto penultimate = part->resolve("penultimate");
    if (penultimate.ok()) {
      ++with_penultimate;
      EXPECT_EQ(penultimate->front(), penultimate_);
      ASSERT_NO_FATAL_FAILURE(compare(part, "penultimate", penultimate_));
    } else {
      // No name comes to stand for another place.
      EXPECT_EQ(penultimate.status().code(), StatusCode::kNotFound);
      EXPECT_FALSE(is_penultimate);
    }
  }
  std::cout << "cut " << GetParam().name << ": " << comparisons_ << " comparisons, " << mismatches_
            << " mismatches" << std::endl;
  EXPECT_GT(smaller, 0);
  EXPECT_GT(with_penultimate, 0);
}

INSTANTIATE_TEST_SUITE_P(Nets, TruncatedFiles,
                         ::testing::ValuesIn(testing::every_net().begin(),
                                             testing::every_net().end()),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace penult
