// Several extractors over one network, and one extractor over several sizes.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "penult/extractor.h"
#include "tests/support/allocations.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 40;

std::vector<float> random_images(int64_t n, int64_t size = kSize) {
  return testing::random_images(7, n, size);
}

using testing::Features;
using testing::run;

class Sharing : public ::testing::Test {
 protected:
  static std::unique_ptr<Extractor> make(int threads, const char* backend = "native") {
    const auto model = testing::model_of(testing::inverted_residual_net(5, kSize), kSize);
    ExtractorOptions options;
    options.taps = {"block2.add", "block4", "penultimate"};
    options.max_batch = 4;
    options.threads = threads;
    options.backend = backend;
    auto extractor = Extractor::create(model, options);
    EXPECT_TRUE(extractor.ok()) << extractor.status().message();
    return std::move(extractor).value();
  }
};

TEST_F(Sharing, SharesRunSideBySideWithEqualBits) {
  const auto first = make(2);
  const std::vector<float> images = random_images(4);
  const Features expected = run(*first, images, 4);
  constexpr int kUsers = 8, kRuns = 10;
  std::vector<int> different(kUsers);
  std::vector<std::thread> users;
  for (int user = 0; user < kUsers; ++user) {
    users.emplace_back([&, user] {
      auto own = first->share();
      ASSERT_TRUE(own.ok()) << own.status().message();
      for (int i = 0; i < kRuns; ++i) different[user] += run(**own, images, 4) != expected;
    });
  }
  for (std::thread& user : users) user.join();
  EXPECT_EQ(different, std::vector<int>(kUsers, 0));
}

TEST_F(Sharing, SharesMayOutliveTheFirst) {
  auto first = make(1);
  const Features expected = run(*first, random_images(1), 1);
  auto second = first->share().value();
  first.reset();
  EXPECT_EQ(run(*second, random_images(1), 1), expected);
}

TEST_F(Sharing, ReshapesThereAndBackWithEqualBits) {
  for (const char* backend : {"native", "reference"}) {
    const auto extractor = make(1, backend);
    const Features expected = run(*extractor, random_images(2), 2);
    ASSERT_TRUE(extractor->reshape(64, 48, 1).ok());
    EXPECT_EQ(extractor->input_h(), 64);
    EXPECT_EQ(extractor->input_w(), 48);
    EXPECT_EQ(extractor->max_batch(), 1);
    std::vector<float> wide = random_images(1, 64);
    wide.resize(3 * 64 * 48);
    run(*extractor, wide, 1);
    ASSERT_TRUE(extractor->reshape(kSize, kSize, 2).ok());
    EXPECT_EQ(run(*extractor, random_images(2), 2), expected);
  }
}

TEST_F(Sharing, AnotherBatchSharesThePackedWeights) {
  const auto extractor = make(1);
  // The plans for 4 and for 2 images are alive; had each weights of its own, both would read them.
  const testing::AllocationCount before = testing::allocation_count();
  ASSERT_TRUE(extractor->reshape(kSize, kSize, 2).ok());
  const testing::AllocationCount after = testing::allocation_count();
  ASSERT_TRUE(extractor->reshape(kSize + 8, kSize + 8, 2).ok());
  const testing::AllocationCount anew = testing::allocation_count();
  if (!testing::kCountsAllocations) GTEST_SKIP() << "a sanitizer owns the allocator";
  EXPECT_LT(after.bytes - before.bytes, anew.bytes - after.bytes);
}

TEST_F(Sharing, IsAsBeforeAfterASizeThatDoesNotFit) {
  const auto extractor = make(1);
  const Features expected = run(*extractor, random_images(1), 1);
  EXPECT_EQ(extractor->reshape(0, 40, 1).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(extractor->reshape(40, 40, 0).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(extractor->reshape(1 << 20, 1 << 20, 1).code(), StatusCode::kLimitExceeded);
  EXPECT_EQ(run(*extractor, random_images(1), 1), expected);
}

TEST_F(Sharing, ARunAllocatesNothing) {
  if (!testing::kCountsAllocations) GTEST_SKIP() << "a sanitizer owns the allocator";
  for (const int threads : {1, 2}) {
    const auto extractor = make(threads);
    const std::vector<float> images = random_images(3);
    Features features;
    for (const OutputInfo& output : extractor->outputs()) features.emplace_back(3 * output.elems);
    const std::vector<std::span<float>> spans(features.begin(), features.end());
    const std::vector<uint8_t> pictures(images.size(), 77);
    const testing::AllocationCount before = testing::allocation_count();
    bool ok = true;
    for (int i = 0; i < 5; ++i) {
      ok = extractor->run(images, 3, spans).ok() && ok;
      ok = extractor->run_rgb8(pictures, 3, spans).ok() && ok;
    }
    const testing::AllocationCount after = testing::allocation_count();
    EXPECT_TRUE(ok);
    EXPECT_EQ(after.calls, before.calls) << threads << " threads";
  }
}

TEST_F(Sharing, RefusesBuffersOfTheWrongSize) {
  const auto extractor = make(1);
  std::vector<float> out(17);
  const std::span<float> one[] = {out};
  EXPECT_EQ(extractor->run(random_images(1), 1, one).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(extractor->run(random_images(2), 1, {}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(extractor->run(random_images(5), 5, {}).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(extractor->run({}, 0, {}).code(), StatusCode::kInvalidArgument);
}

// ThreadSanitizer forbids threads in a child of a threaded process.
#ifndef __SANITIZE_THREAD__
TEST_F(Sharing, RunsInAChildAfterFork) {
  const auto extractor = make(2);
  const Features expected = run(*extractor, random_images(1), 1);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20);
    _exit(run(*extractor, random_images(1), 1) == expected ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}
#endif

}  // namespace
}  // namespace penult
