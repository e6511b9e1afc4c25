#include "penult/extractor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/ops/op.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 40;

std::shared_ptr<const Model> small_model() {
  return testing::model_of(testing::inverted_residual_net(5, kSize), kSize);
}

std::vector<float> random_images(int64_t n) { return testing::random_images(17, n, kSize); }

using Features = std::vector<std::vector<float>>;

Features extract(const ExtractorOptions& options, const std::vector<float>& images) {
  auto extractor = Extractor::create(small_model(), options);
  EXPECT_TRUE(extractor.ok()) << extractor.status().message();
  if (!extractor.ok()) return {};
  Features features;
  for (const OutputInfo& output : (*extractor)->outputs()) {
    features.emplace_back(static_cast<size_t>(options.max_batch * output.elems), -12345.0f);
  }
  const std::vector<std::span<float>> spans(features.begin(), features.end());
  const Status status = (*extractor)->run(images, options.max_batch, spans);
  EXPECT_TRUE(status.ok()) << status.message();
  return features;
}

std::vector<std::string> map_taps() {
  std::vector<std::string> names;
  const auto taps = small_model()->taps();
  EXPECT_TRUE(taps.ok()) << taps.status().message();
  for (const TapInfo& tap : *taps) {
    if (tap.rank == 3) names.push_back(tap.name);
  }
  EXPECT_GT(names.size(), 10u);
  return names;
}

std::vector<Pooling> every_pooling() {
  std::vector<Pooling> all;
  for (const std::string& name : pooling_names()) all.push_back(*pooling_from_name(name));
  EXPECT_GE(all.size(), 7u);
  return all;
}

Status create_status(const ExtractorOptions& options) {
  return Extractor::create(small_model(), options).status();
}

class Backends : public ::testing::TestWithParam<const char*> {
 protected:
  ExtractorOptions options(std::vector<std::string> taps, Pooling pooling) const {
    return {.taps = std::move(taps), .pooling = pooling, .max_batch = 2, .backend = GetParam()};
  }
};

TEST_P(Backends, TwoNamesOfOnePlaceAreTwoEqualOutputs) {
  const std::string last = small_model()->resolve("penultimate")->front();
  for (const Pooling pooling : every_pooling()) {
    const Features got = extract(options({"penultimate", last}, pooling), random_images(2));
    ASSERT_EQ(got.size(), 2u);
    EXPECT_EQ(got[0], got[1]) << pooling_name(pooling);
    EXPECT_EQ(std::count(got[1].begin(), got[1].end(), -12345.0f), 0) << pooling_name(pooling);
  }
}

TEST_P(Backends, PoolingsArePoolingsOfTheMapItself) {
  const std::vector<float> images = random_images(2);
  for (const std::string& tap : map_taps()) {
    const std::vector<float> map = extract(options({tap}, Pooling::kNone), images)[0];
    const std::vector<float> avg = extract(options({tap}, Pooling::kAvg), images)[0];
    const std::vector<float> max = extract(options({tap}, Pooling::kMax), images)[0];
    EXPECT_EQ(extract(options({tap}, Pooling::kFlatten), images)[0], map) << tap;
    ASSERT_EQ(avg.size(), max.size()) << tap;
    const auto plane = static_cast<int64_t>(map.size() / max.size());
    for (size_t c = 0; c < max.size(); ++c) {
      const auto from = map.begin() + static_cast<int64_t>(c) * plane;
      double sum = 0, magnitude = 0;
      for (auto v = from; v != from + plane; ++v) {
        sum += static_cast<double>(*v);
        magnitude += std::abs(static_cast<double>(*v));
      }
      EXPECT_EQ(max[c], *std::max_element(from, from + plane)) << tap << ", channel " << c;
      // plane additions and one product, each rounded to float
      const double bound = static_cast<double>(plane + 1) * 0x1p-24 * 1.01 * magnitude;
      EXPECT_NEAR(static_cast<double>(avg[c]) * static_cast<double>(plane), sum, bound) << tap;
    }
  }
}

TEST_P(Backends, PoolingATapDoesNotDependOnOtherTapsBatchOrThreads) {
  const std::vector<float> images = random_images(2);
  const std::span<const float> second = std::span(images).last(images.size() / 2);
  const std::vector<std::string> taps = map_taps();
  for (const Pooling pooling : every_pooling()) {
    ExtractorOptions whole = options(taps, pooling);
    whole.threads = 3;
    const Features together = extract(whole, images);
    ASSERT_EQ(together.size(), taps.size());
    for (size_t i = 0; i < taps.size(); ++i) {
      ExtractorOptions one = options({taps[i]}, pooling);
      one.max_batch = 1;
      const std::vector<float> alone = extract(one, {second.begin(), second.end()})[0];
      ASSERT_EQ(2 * alone.size(), together[i].size());
      EXPECT_EQ(std::memcmp(alone.data(), together[i].data() + alone.size(),
                            alone.size() * sizeof(float)),
                0)
          << taps[i] << " " << pooling_name(pooling);
    }
  }
}

TEST_P(Backends, ANanInThePictureReachesEveryPooling) {
  std::vector<float> images = random_images(2);
  images[kSize * kSize / 2] = NAN;  // of the first image
  for (const Pooling pooling : every_pooling()) {
    const std::vector<float> got = extract(options({map_taps()[0]}, pooling), images)[0];
    const auto second = got.begin() + static_cast<int64_t>(got.size() / 2);
    const auto is_nan = [](float v) { return std::isnan(v); };
    EXPECT_TRUE(std::any_of(got.begin(), second, is_nan)) << pooling_name(pooling);
    EXPECT_FALSE(std::any_of(second, got.end(), is_nan)) << pooling_name(pooling);
  }
}

INSTANTIATE_TEST_SUITE_P(Extractor, Backends, ::testing::Values("native", "reference"),
                         [](const auto& test) { return std::string(test.param); });

TEST(Extractor, RefusesWhatItCannotDo) {
  EXPECT_EQ(create_status({.taps = {"penultimate", "penultimate"}}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(create_status({.taps = {}}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(create_status({.taps = {"lost"}}).code(), StatusCode::kNotFound);
  EXPECT_EQ(create_status({.taps = {"penultimate"}, .max_batch = 0}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(create_status({.taps = {"penultimate"}, .threads = 0}).code(),
            StatusCode::kInvalidArgument);
  EXPECT_EQ(create_status({.taps = {"penultimate"}, .backend = "best"}).code(),
            StatusCode::kNotFound);
  EXPECT_EQ(create_status({.taps = {"penultimate"}, .input_h = 30'000, .input_w = 30'000}).code(),
            StatusCode::kLimitExceeded);
  EXPECT_EQ(create_status({.taps = {"penultimate"}, .input_h = -1}).code(),
            StatusCode::kInvalidArgument);
}

TEST(Extractor, RefusesWhatIsNoModelAndNoPooling) {
  EXPECT_EQ(Extractor::create(nullptr, {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Extractor::planned_bytes(nullptr, {}).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(create_status({.taps = {"penultimate"}, .pooling = static_cast<Pooling>(77)}).code(),
            StatusCode::kInvalidArgument);
}

TEST(Extractor, RunRefusesOtherSizes) {
  const auto extractor =
      Extractor::create(small_model(), {.taps = {"penultimate"}, .max_batch = 2});
  ASSERT_TRUE(extractor.ok()) << extractor.status().message();
  const std::vector<float> images = random_images(3);
  std::vector<float> feature(static_cast<size_t>(3 * (*extractor)->outputs()[0].elems));
  const auto run = [&](size_t image_floats, int64_t n, size_t feature_floats, size_t arrays = 1) {
    const std::vector<std::span<float>> spans(arrays, std::span(feature).first(feature_floats));
    return (*extractor)->run(std::span(images).first(image_floats), n, spans).code();
  };
  const size_t image = images.size() / 3, one = feature.size() / 3;
  EXPECT_EQ(run(2 * image, 2, 2 * one), StatusCode::kOk);
  EXPECT_EQ(run(image, 1, one), StatusCode::kOk);
  EXPECT_EQ(run(3 * image, 3, 3 * one), StatusCode::kInvalidArgument);
  EXPECT_EQ(run(0, 0, 0), StatusCode::kInvalidArgument);
  EXPECT_EQ(run(2 * image - 1, 2, 2 * one), StatusCode::kInvalidArgument);
  EXPECT_EQ(run(2 * image, 2, 2 * one - 1), StatusCode::kInvalidArgument);
  EXPECT_EQ(run(2 * image, 2, 2 * one, 2), StatusCode::kInvalidArgument);
  EXPECT_EQ(run(2 * image, 2, 2 * one, 0), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace penult
