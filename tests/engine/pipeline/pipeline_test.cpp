#include "engine/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include "engine/pipeline/memory_budget.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kSize = 40;

// Keeps what the pipeline delivers; on request it refuses to go on.
class Client : public PipelineClient {
 public:
  const std::string& path(size_t input) const override { return paths[input]; }
  Status check() const override {
    if (++checks_ <= checks_until_stop) return {};
    return {StatusCode::kCancelled, "stopped"};
  }
  Status rows(std::span<const size_t> inputs, std::span<const std::span<float>> values,
              const PipelineSeconds&) override {
    if (busy_.exchange(true)) ADD_FAILURE() << "called by two threads at a time";
    order.insert(order.end(), inputs.begin(), inputs.end());
    batches.push_back(inputs.size());
    features.resize(values.size());
    for (size_t t = 0; t < values.size(); ++t) {
      EXPECT_EQ(values[t].size() % inputs.size(), 0u);
      features[t].insert(features[t].end(), values[t].begin(), values[t].end());
    }
    busy_ = false;
    return order.size() > rows_until_error ? Status(StatusCode::kNoSpace, "full") : Status();
  }
  Status failed(size_t input, const Status& why) override {
    failures.emplace_back(input, why.code());
    return {};
  }

  std::vector<std::string> paths;
  std::vector<size_t> order;
  std::vector<size_t> batches;  // inputs in each
  std::vector<std::vector<float>> features;
  std::vector<std::pair<size_t, StatusCode>> failures;
  int checks_until_stop = 1'000'000;
  size_t rows_until_error = 1'000'000;

 private:
  mutable std::atomic<int> checks_ = 0;
  std::atomic<bool> busy_ = false;
};

class Pipelines : public ::testing::Test {
 protected:
  Pipelines()
      : folder_(fs::temp_directory_path() / ("penult_pipeline." + std::to_string(::getpid()))) {
    fs::create_directory(folder_);
    preprocess_.resize = 48;
    preprocess_.crop_h = preprocess_.crop_w = kSize;
  }
  ~Pipelines() override { fs::remove_all(folder_); }

  // A PPM of random pixels.
  std::string picture(uint32_t seed, int h = 50, int w = 60) {
    const std::string path = (folder_ / (std::to_string(seed) + ".ppm")).string();
    std::mt19937 random(seed);
    std::string bytes = "P6 " + std::to_string(w) + " " + std::to_string(h) + " 255\n";
    for (int i = 0; i < 3 * h * w; ++i) bytes += static_cast<char>(random());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  std::unique_ptr<Extractor> make(const PipelineShape& shape) {
    ExtractorOptions options;
    options.taps = {"block2.add", "penultimate"};
    options.max_batch = shape.images_in_run;
    options.threads = shape.net_threads;
    options.device = device_;
    return Extractor::create(testing::model_of(testing::inverted_residual_net(5, kSize), kSize),
                             options)
        .value();
  }

  Status run(Client& client, int threads, int64_t batch) {
    const PipelineShape shape = pipeline_shape(client.paths.size(), threads, batch);
    const auto extractor = make(shape);
    return run_pipeline(client.paths.size(), shape, *extractor, preprocess_, {}, client).status();
  }

  fs::path folder_;
  Preprocess preprocess_;
  std::string device_ = "cpu";
};

TEST_F(Pipelines, GivesEqualBitsInTheOrderOfTheInputsWhateverTheThreadsAndTheBatch) {
  Client base;
  for (uint32_t i = 0; i < 23; ++i) {
    base.paths.push_back(i % 5 == 3 ? (folder_ / "gone.ppm").string() : picture(i));
  }
  std::vector<std::vector<float>> expected;
  for (const int threads : {1, 2, 3, 8, 40}) {
    for (const int64_t batch : {1, 3, 8, 100}) {
      Client client;
      client.paths = base.paths;
      ASSERT_TRUE(run(client, threads, batch).ok());
      EXPECT_TRUE(std::is_sorted(client.order.begin(), client.order.end()));
      EXPECT_EQ(client.order.size(), 19u);
      using Failure = std::pair<size_t, StatusCode>;
      constexpr StatusCode kGone = StatusCode::kNotFound;
      EXPECT_THAT(client.failures, ::testing::ElementsAre(Failure(3, kGone), Failure(8, kGone),
                                                          Failure(13, kGone), Failure(18, kGone)));
      if (expected.empty()) expected = client.features;
      EXPECT_EQ(client.features, expected);
    }
  }
  EXPECT_FALSE(expected[1].empty());
}

TEST_F(Pipelines, GivesWhatTheExtractorGives) {
  Client client;
  client.paths = {picture(1)};
  ASSERT_TRUE(run(client, 1, 1).ok());
  const auto extractor = make({});
  const Image crop = resize_and_crop(load_image(client.paths[0], {}).value(), preprocess_).value();
  std::vector<float> image(3 * kSize * kSize);
  normalize_to_chw(crop, preprocess_, image);
  EXPECT_EQ(testing::run(*extractor, image, 1), client.features);
}

// With as many threads as there are, and the bits of one.
TEST_F(Pipelines, OnADeviceOneRunHasTheWholeBatch) {
#if !defined(PENULT_HAS_EMULATOR)
  GTEST_SKIP() << "the device emulated is not built";
#endif
  device_ = "emulated";
  Client one, many;
  for (uint32_t i = 0; i < 10; ++i) one.paths.push_back(picture(i));
  many.paths = one.paths;
  ASSERT_TRUE(run(one, 1, 1).ok());
  ASSERT_TRUE(run(many, 3, 4).ok());
  EXPECT_THAT(many.batches, ::testing::ElementsAre(4, 4, 2));
  EXPECT_EQ(many.order, one.order);
  EXPECT_FALSE(one.features[1].empty());
  EXPECT_EQ(many.features, one.features);
}

TEST_F(Pipelines, EndsWithTheErrorOfItsClient) {
  for (const int threads : {1, 4}) {
    Client full, stopped;
    for (uint32_t i = 0; i < 30; ++i) full.paths.push_back(picture(i % 4));
    stopped.paths = full.paths;
    full.rows_until_error = 10;
    EXPECT_EQ(run(full, threads, 4).code(), StatusCode::kNoSpace);
    EXPECT_LT(full.order.size(), 30u);
    stopped.checks_until_stop = 12;
    EXPECT_EQ(run(stopped, threads, 4).code(), StatusCode::kCancelled);
    EXPECT_LT(stopped.order.size(), 30u);
  }
}

TEST_F(Pipelines, OfNothingIsNothing) {
  Client client;
  EXPECT_TRUE(run(client, 3, 8).ok());
  EXPECT_TRUE(client.order.empty());
}

TEST(PipelineShape, NeverUsesMoreThreadsOrImagesThanAskedFor) {
  for (const size_t inputs : {0, 1, 3, 1000}) {
    for (const int threads : {1, 2, 3, 7, 64}) {
      for (const int64_t batch : {1, 2, 8, 65}) {
        const PipelineShape shape = pipeline_shape(inputs, threads, batch);
        EXPECT_GE(shape.workers, 1);
        EXPECT_GE(shape.net_threads, 1);
        EXPECT_GE(shape.images_in_run, 1);
        EXPECT_LE(shape.workers * shape.net_threads, threads);
        EXPECT_LT(shape.workers * (shape.images_in_run - 1), batch);
        EXPECT_EQ(shape.batch, std::min(batch, std::max<int64_t>(static_cast<int64_t>(inputs), 1)));
      }
    }
  }
  EXPECT_EQ(pipeline_shape(3, 1, 65536).images_in_run,
            3);                                       // no memory for images that are not there
  EXPECT_EQ(pipeline_shape(1, 8, 8).net_threads, 8);  // a single image: all threads in its net
}

TEST(MemoryBudget, LetsALargeShareWaitUntilItIsAlone) {
  MemoryBudget budget(100);
  std::atomic<bool> got = false;
  MemoryShare small(budget);
  small.take(60);
  std::thread other([&] {
    MemoryShare large(budget);
    large.take(1000);  // more than there is
    got = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(got);
  small.give_back();
  other.join();
  EXPECT_TRUE(got);
  small.take(100);  // all of it is free again
}

TEST(MemoryBudget, DoesNotWaitForItself) {
  MemoryBudget budget(100);
  MemoryShare share(budget);
  share.take(1000);
  share.take(1000);
  share.take(60);
  share.take(2000);
  share.give_back();
  MemoryShare(budget).take(100);  // all of it is free again
}

}  // namespace
}  // namespace penult
