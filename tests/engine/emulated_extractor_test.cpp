// What an extractor promises, on a device: memory known beforehand, other sizes, shared weights,
// and that after an error everything is as before.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSize = 24;

class EmulatedExtractor : public ::testing::Test {
 protected:
  std::unique_ptr<Extractor> make(const std::string& device, int64_t max_batch = 2,
                                  const std::string& precision = "f32") const {
    auto extractor = Extractor::create(model_, options(device, max_batch, precision));
    EXPECT_TRUE(extractor.ok()) << extractor.status().message();
    return extractor.ok() ? std::move(extractor).value() : nullptr;
  }

  static ExtractorOptions options(const std::string& device, int64_t max_batch,
                                  const std::string& precision = "f32") {
    ExtractorOptions options;
    options.taps = {"all"};
    options.pooling = Pooling::kNone;
    options.max_batch = max_batch;
    options.device = device;
    options.precision = precision;
    return options;
  }

  static void expect_close(const testing::Features& got, const testing::Features& want) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) {
      double worst = 0, largest = 0;
      ASSERT_EQ(got[i].size(), want[i].size());
      for (size_t j = 0; j < got[i].size(); ++j) {
        ASSERT_FALSE(std::isnan(got[i][j])) << i;
        worst = std::max(worst, std::abs(double{got[i][j]} - want[i][j]));
        largest = std::max(largest, std::abs(double{want[i][j]}));
      }
      EXPECT_LE(worst, 1e-4 * largest) << i;  // docs/numerics.md
    }
  }

  std::shared_ptr<const Model> model_ =
      testing::model_of(testing::inverted_residual_net(5, kSize), kSize);
  const std::vector<float> images_ = testing::random_images(3, 2, kSize);
};

// Between them the two nets have every operator.
TEST_F(EmulatedExtractor, ComputesEveryValueOfRandomNets) {
  expect_close(testing::run(*make("emulated"), images_, 2), testing::run(*make("cpu"), images_, 2));
  model_ = testing::model_of(testing::mixed_net(6, kSize), kSize);
  expect_close(testing::run(*make("emulated"), images_, 2), testing::run(*make("cpu"), images_, 2));
}

TEST_F(EmulatedExtractor, NeedsTheMemoryThatWasPlanned) {
  const auto planned = Extractor::planned_bytes(model_, options("emulated", 2));
  ASSERT_TRUE(planned.ok()) << planned.status().message();
  EXPECT_EQ(make("emulated")->memory_bytes(), *planned);
  // Besides weights, as much again for each further image.
  const auto more = Extractor::planned_bytes(model_, options("emulated", 4));
  ASSERT_TRUE(more.ok());
  EXPECT_GT(*more, *planned);
}

TEST_F(EmulatedExtractor, SwitchesToOtherBatchesAndBack) {
  const auto extractor = make("emulated", 1);
  const std::span<const float> one = std::span(images_).first(images_.size() / 2);
  const testing::Features before = testing::run(*extractor, one, 1);
  ASSERT_TRUE(extractor->reshape(kSize, kSize, 2).ok());
  const testing::Features both = testing::run(*extractor, images_, 2);
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(std::equal(before[i].begin(), before[i].end(), both[i].begin())) << i;
  }
  EXPECT_FALSE(extractor->reshape(kSize, kSize, 0).ok());
  EXPECT_EQ(testing::run(*extractor, images_, 2), both);
  ASSERT_TRUE(extractor->reshape(kSize, kSize, 1).ok());
  EXPECT_EQ(testing::run(*extractor, one, 1), before);
}

TEST_F(EmulatedExtractor, ServesThreadsThatShareIt) {
  const auto extractor = make("emulated");
  const testing::Features want = testing::run(*extractor, images_, 2);
  std::vector<testing::Features> got(3);
  {
    std::vector<std::jthread> threads;
    for (testing::Features& features : got) {
      threads.emplace_back([&] {
        const auto shared = extractor->share();
        ASSERT_TRUE(shared.ok());
        features = testing::run(**shared, images_, 2);
      });
    }
  }
  for (const testing::Features& features : got) EXPECT_EQ(features, want);
}

TEST_F(EmulatedExtractor, SaysWhatItIs) {
  const auto extractor = make("emulated", 1, "f16");
  EXPECT_EQ(extractor->device(), "emulated:0 (emulated)");
  EXPECT_STREQ(extractor->precision(), "f16");
  EXPECT_STREQ(extractor->backend(), "native");
  EXPECT_THAT(extractor->numerics(), HasSubstr("gpu-"));
  EXPECT_EQ(make("cpu")->device(), "cpu");
}

TEST_F(EmulatedExtractor, RefusesWhatDoesNotGoTogether) {
  const auto code = [](const std::string& device, const std::string& backend,
                       const std::string& precision) {
    ExtractorOptions wanted = options(device, 1, precision);
    wanted.backend = backend;
    return Extractor::check(wanted).code();
  };
  EXPECT_EQ(code("emulated", "native", "f16"), StatusCode::kOk);
  EXPECT_EQ(code("cuda", "cudnn", "f16"), StatusCode::kOk);
  EXPECT_EQ(code("cuda:7", "auto", "f32"), StatusCode::kOk);
  EXPECT_EQ(code("cpu", "native", "f16"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("cpu", "cudnn", "f32"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("emulated", "cudnn", "f32"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("cuda", "onednn", "f32"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("cuda:", "native", "f32"), StatusCode::kInvalidArgument);
  EXPECT_EQ(code("emulated", "native", "f8"), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace penult
