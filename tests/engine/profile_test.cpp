// What a run tells about its steps: names, kernels, taps, times.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <numeric>

#include "penult/extractor.h"
#include "tests/support/allocations.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kSize = 64, kBatch = 4;

std::vector<float> random_images() { return testing::random_images(7, kBatch, kSize); }

std::unique_ptr<Extractor> make(int threads, const char* backend = "native") {
  ExtractorOptions options;
  options.taps = {"block2.add", "penultimate"};
  options.max_batch = kBatch;
  options.threads = threads;
  options.backend = backend;
  auto extractor = Extractor::create(
      testing::model_of(testing::inverted_residual_net(5, kSize), kSize), options);
  EXPECT_TRUE(extractor.ok()) << extractor.status().message();
  return std::move(extractor).value();
}

// Room for all that an extractor gives.
struct Room {
  explicit Room(const Extractor& extractor) : step_ms(extractor.steps().size(), -1.0) {
    for (const OutputInfo& output : extractor.outputs()) {
      features.emplace_back(static_cast<size_t>(kBatch * output.elems), -12345.0f);
    }
    spans.assign(features.begin(), features.end());
  }
  std::vector<std::vector<float>> features;
  std::vector<std::span<float>> spans;
  std::vector<double> step_ms;
};

class Threads : public ::testing::TestWithParam<int> {};

TEST_P(Threads, ProfileHasTheBitsOfRun) {
  const auto extractor = make(GetParam());
  const std::vector<float> images = random_images();
  Room run(*extractor), profile(*extractor);
  ASSERT_TRUE(extractor->run(images, kBatch, run.spans).ok());
  ASSERT_TRUE(extractor->profile(images, kBatch, profile.spans, profile.step_ms).ok());
  for (size_t i = 0; i < run.features.size(); ++i) {
    ASSERT_EQ(run.features[i].size(), profile.features[i].size());
    EXPECT_EQ(std::memcmp(run.features[i].data(), profile.features[i].data(),
                          run.features[i].size() * sizeof(float)),
              0);
  }
}

TEST_P(Threads, StepTimesSumUpToTheRun) {
  const auto extractor = make(GetParam());
  const std::vector<float> images = random_images();
  Room room(*extractor);
  double least_rest = 1;  // share of a run that no step accounts for; a busy machine adds to it
  for (int i = 0; i < 50; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(extractor->profile(images, kBatch, room.spans, room.step_ms).ok());
    const std::chrono::duration<double, std::milli> whole =
        std::chrono::steady_clock::now() - begin;
    for (const double ms : room.step_ms) EXPECT_GE(ms, 0);
    const double sum = std::accumulate(room.step_ms.begin(), room.step_ms.end(), 0.0);
    EXPECT_LE(sum, whole.count() * (1 + 1e-9));
    least_rest = std::min(least_rest, 1 - sum / whole.count());
  }
  EXPECT_LE(least_rest, 0.1);
}

TEST_P(Threads, NeitherProfileNorRunAfterItAllocates) {
  if (!testing::kCountsAllocations) GTEST_SKIP() << "a sanitizer owns the allocator";
  const auto extractor = make(GetParam());
  const std::vector<float> images = random_images();
  Room room(*extractor);
  ASSERT_TRUE(extractor->run(images, kBatch, room.spans).ok());
  const uint64_t before = testing::allocation_count().calls;
  ASSERT_TRUE(extractor->profile(images, kBatch, room.spans, room.step_ms).ok());
  ASSERT_TRUE(extractor->run(images, kBatch, room.spans).ok());
  EXPECT_EQ(testing::allocation_count().calls, before);
}

TEST_P(Threads, RunLeavesTheTimesOfTheLastProfileAlone) {
  const auto extractor = make(GetParam());
  const std::vector<float> images = random_images();
  Room room(*extractor);
  ASSERT_TRUE(extractor->profile(images, kBatch, room.spans, room.step_ms).ok());
  const std::vector<double> before = room.step_ms;
  ASSERT_TRUE(extractor->run(images, kBatch, room.spans).ok());
  EXPECT_EQ(room.step_ms, before);
}

INSTANTIATE_TEST_SUITE_P(Profile, Threads, ::testing::Values(1, 2),
                         [](const auto& test) { return std::to_string(test.param); });

TEST(Steps, AreInOrderWithTheTapsInsideThem) {
  const auto extractor = make(1);
  const std::vector<StepInfo> steps = extractor->steps();
  ASSERT_GT(steps.size(), 4u);
  EXPECT_EQ(steps[0].name, "input");
  EXPECT_EQ(steps[0].kernel, "copy_input");
  EXPECT_EQ(steps[1].name, "stem.act");
  EXPECT_THAT(steps[1].taps, ElementsAre("stem", "stem.bn", "stem.act"));
  EXPECT_EQ(steps[2].name, "block0.depthwise.act");
  EXPECT_EQ(steps.back().kernel, "deliver");
  EXPECT_THAT(steps.back().taps, IsEmpty());
  const auto find = [&](const char* name) {
    return *std::find_if(steps.begin(), steps.end(), [&](auto& s) { return s.name == name; });
  };
  EXPECT_THAT(find("block2.add").taps,
              ElementsAre("block2.project", "block2.project.bn", "block2.add"));
  EXPECT_THAT(find("block2.add/avg").taps, IsEmpty()) << "the pooling of a tap is not a tap";
}

TEST(Steps, CountTheNetworksMultiplyAdds) {
  const auto model = testing::model_of(testing::inverted_residual_net(3, 40), 40);
  const auto taps = model->taps();
  ASSERT_TRUE(taps.ok());
  ExtractorOptions options;
  options.taps = {taps->back().name};
  const auto extractor = Extractor::create(model, options);
  ASSERT_TRUE(extractor.ok()) << extractor.status().message();
  uint64_t macs = 0;
  for (const StepInfo& step : (*extractor)->steps()) macs += static_cast<uint64_t>(step.macs);
  EXPECT_EQ(macs, taps->back().macs) << "nothing here is computed by Winograd";
}

TEST(Steps, HoldEachTapOnce) {
  const auto model = testing::model_of(testing::mixed_net(3, 40), 40);
  ExtractorOptions options;
  options.max_batch = 1;
  const auto extractor = Extractor::create(model, options);
  ASSERT_TRUE(extractor.ok()) << extractor.status().message();
  std::vector<std::string> held, all;
  for (const StepInfo& step : (*extractor)->steps()) {
    EXPECT_FALSE(step.kernel.empty()) << step.name;
    held.insert(held.end(), step.taps.begin(), step.taps.end());
  }
  const auto taps = model->taps();
  ASSERT_TRUE(taps.ok()) << taps.status().message();
  for (const TapInfo& tap : *taps) all.push_back(tap.name);
  EXPECT_THAT(held, ::testing::UnorderedElementsAreArray(all));
}

TEST(Steps, LackWhatTheTapDoesNotNeed) {
  ExtractorOptions options;
  options.taps = {"large"};
  options.max_batch = 1;
  const auto extractor =
      Extractor::create(testing::model_of(testing::mixed_net(3, 40), 40), options);
  ASSERT_TRUE(extractor.ok()) << extractor.status().message();
  for (const StepInfo& step : (*extractor)->steps()) {
    EXPECT_THAT(step.taps, ::testing::Not(::testing::Contains("large.bn"))) << step.name;
    EXPECT_THAT(step.taps, ::testing::Not(::testing::Contains("branch"))) << step.name;
  }
}

TEST(Profile, RefusesWrongSizes) {
  const auto extractor = make(1);
  const std::vector<float> images = random_images();
  Room room(*extractor);
  const auto profile = [&](int64_t n, size_t steps) {
    std::vector<double> step_ms(steps);
    return extractor->profile(images, n, room.spans, step_ms).code();
  };
  EXPECT_EQ(profile(kBatch, room.step_ms.size()), StatusCode::kOk);
  EXPECT_EQ(profile(kBatch, room.step_ms.size() + 1), StatusCode::kInvalidArgument);
  EXPECT_EQ(profile(kBatch, 0), StatusCode::kInvalidArgument);
  EXPECT_EQ(profile(kBatch - 1, room.step_ms.size()), StatusCode::kInvalidArgument);
}

TEST(Profile, TheReferenceHasNoSteps) {
  const auto extractor = make(1, "reference");
  EXPECT_THAT(extractor->steps(), IsEmpty());
  Room room(*extractor);
  const Status status = extractor->profile(random_images(), kBatch, room.spans, room.step_ms);
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(), ::testing::HasSubstr("reference"));
}

}  // namespace
}  // namespace penult
