// Many threads on one model, one file and one network, with equal bits. ThreadSanitizer runs this
// (preset tsan, label threads): a data race shows there even where the result happens to be right.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "engine/model/writer.h"
#include "penult/extractor.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"
#include "tests/support/tiny_model.h"

namespace penult {
namespace {

constexpr int kUsers = 8;
constexpr int64_t kSize = 40;

using testing::Features;

// Starts them at the same moment, so that they meet.
void in_parallel(const std::function<void(int)>& user) {
  std::atomic<int> waiting{kUsers};
  std::vector<std::thread> threads;
  for (int i = 0; i < kUsers; ++i) {
    threads.emplace_back([&, i] {
      for (--waiting; waiting > 0;) std::this_thread::yield();
      user(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

Features run(Extractor& extractor, int64_t n) {
  return testing::run(extractor, testing::random_images(7, n, extractor.input_h()), n);
}

std::unique_ptr<Extractor> make(const std::shared_ptr<const Model>& model, const std::string& tap,
                                int threads, const char* backend = "native") {
  ExtractorOptions options;
  options.taps = {tap};
  options.max_batch = 2;
  options.threads = threads;
  options.backend = backend;
  auto extractor = Extractor::create(model, options);
  EXPECT_TRUE(extractor.ok()) << extractor.status().message();
  return extractor.ok() ? std::move(extractor).value() : nullptr;
}

class Threads : public ::testing::TestWithParam<int> {
 protected:
  const std::shared_ptr<const Model> model_ =
      testing::model_of(testing::inverted_residual_net(5, kSize), kSize);
};

TEST_P(Threads, CreateAndRunExtractorsOfOneModel) {
  const Features expected = run(*make(model_, "block4", 1), 2);
  in_parallel([&](int) {
    const auto own = make(model_, "block4", GetParam());
    ASSERT_NE(own, nullptr);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(run(*own, 2), expected);
  });
}

TEST_P(Threads, ShareWhileTheFirstIsRunning) {
  const auto first = make(model_, "penultimate", GetParam());
  const Features expected = run(*first, 2);
  in_parallel([&](int user) {
    if (user == 0) {
      for (int i = 0; i < 10; ++i) EXPECT_EQ(run(*first, 2), expected);
      return;
    }
    for (int i = 0; i < 3; ++i) {
      auto own = first->share();
      ASSERT_TRUE(own.ok()) << own.status().message();
      EXPECT_EQ(run(**own, 2), expected);
    }
  });
}

// More sizes than the cache of plans keeps: they are made, found and dropped side by side.
TEST_P(Threads, ReshapeSharesSideBySide) {
  const auto first = make(model_, "penultimate", GetParam());
  const auto size_of = [](int i) { return kSize + 8 * (i % 6); };
  std::vector<Features> expected;
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(first->reshape(size_of(i), size_of(i), 1).ok());
    expected.push_back(run(*first, 1));
  }
  in_parallel([&](int user) {
    auto own = first->share();
    ASSERT_TRUE(own.ok()) << own.status().message();
    for (int i = user; i < user + 6; ++i) {
      const Status status = (*own)->reshape(size_of(i), size_of(i), 1);
      ASSERT_TRUE(status.ok()) << status.message();
      EXPECT_EQ(run(**own, 1), expected[i % 6]);
    }
  });
}

TEST_P(Threads, RunOtherTapsAndBackendsOfOneModel) {
  const std::string taps[] = {"stem.act", "block2.add", "block4", "penultimate"};
  in_parallel([&](int user) {
    const char* backend = user % 2 == 0 ? "native" : "reference";
    const auto own = make(model_, taps[user / 2], GetParam(), backend);
    ASSERT_NE(own, nullptr);
    EXPECT_EQ(run(*own, 1), run(*own, 1));
  });
}

INSTANTIATE_TEST_SUITE_P(Each, Threads, ::testing::Values(1, 2),
                         [](const auto& test) { return std::to_string(test.param) + "_each"; });

// A model reads its weights from the file when a plan is made.
TEST(Threads, LoadOneFileAndReadOneModelsWeights) {
  const testing::TemporaryFile file("shared.penult");
  ModelData data = testing::tiny_model();
  ASSERT_TRUE(write_model(data, file.path(), Existing::kReplaced).ok());
  const auto shared = Model::load(file.path());
  ASSERT_TRUE(shared.ok()) << shared.status().message();
  const Features expected = run(*make(*shared, "penultimate", 1), 1);
  in_parallel([&](int) {
    const auto own = Model::load(file.path(), {.verify_all_weights = true});
    ASSERT_TRUE(own.ok()) << own.status().message();
    EXPECT_TRUE((*own)->taps().ok());
    EXPECT_EQ(run(*make(*own, "penultimate", 1), 1), expected);
    EXPECT_EQ(run(*make(*shared, "penultimate", 1), 1), expected);
  });
}

}  // namespace
}  // namespace penult
