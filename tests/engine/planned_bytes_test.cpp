// What a plan says about memory before there is any.

#include <gtest/gtest.h>

#include "penult/extractor.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kSize = 40;

void expect_equal_at_every_tap(const Graph& graph, ExtractorOptions options) {
  const auto model = testing::model_of(graph, kSize);
  const auto taps = model->taps();
  ASSERT_TRUE(taps.ok()) << taps.status().message();
  for (const TapInfo& tap : *taps) {
    options.taps = {tap.name};
    const auto planned = Extractor::planned_bytes(model, options);
    const auto extractor = Extractor::create(model, options);
    ASSERT_TRUE(planned.ok()) << planned.status().message();
    ASSERT_TRUE(extractor.ok()) << extractor.status().message();
    EXPECT_EQ(*planned, (*extractor)->memory_bytes()) << tap.name;
  }
}

TEST(PlannedBytes, AreThoseOfTheExtractor) {
  expect_equal_at_every_tap(testing::inverted_residual_net(5, kSize), {.max_batch = 1});
  expect_equal_at_every_tap(testing::mixed_net(3, kSize), {.max_batch = 1});
  expect_equal_at_every_tap(testing::mixed_net(3, kSize),
                            {.pooling = Pooling::kFlatten, .max_batch = 3, .threads = 2});
  expect_equal_at_every_tap(testing::mixed_net(3, kSize), {.pooling = Pooling::kAvgStd});
  expect_equal_at_every_tap(testing::inverted_residual_net(5, kSize),
                            {.max_batch = 2, .input_h = 56, .input_w = 48});
}

// Weights that nobody may read.
class Untouchable : public WeightSource {
 public:
  std::unique_ptr<WeightStream> open(WeightId) const override { return std::make_unique<Stream>(); }

 private:
  class Stream : public WeightStream {
   public:
    Status read(std::span<float>) override { return {StatusCode::kIo, "weights were read"}; }
  };
};

TEST(PlannedBytes, ReadNoWeight) {
  Graph graph = testing::inverted_residual_net(5, kSize);
  graph.source = std::make_shared<Untouchable>();
  const auto model = testing::model_of(graph, kSize);
  EXPECT_TRUE(Extractor::planned_bytes(model, {}).ok());
  EXPECT_EQ(Extractor::create(model, {}).status().code(), StatusCode::kIo);
}

TEST(PlannedBytes, FailAsTheExtractorDoes) {
  const auto model = testing::model_of(testing::inverted_residual_net(5, kSize), kSize);
  const ExtractorOptions wrong[] = {{.taps = {"lost"}},  {.taps = {}},        {.max_batch = 0},
                                    {.threads = 0},      {.backend = "best"}, {.max_batch = 100000},
                                    {.input_h = 1 << 20}};
  for (const ExtractorOptions& options : wrong) {
    const Status planned = Extractor::planned_bytes(model, options).status();
    const Status created = Extractor::create(model, options).status();
    EXPECT_FALSE(planned.ok());
    EXPECT_EQ(planned.to_string(), created.to_string());
  }
  EXPECT_EQ(Extractor::planned_bytes(model, {.backend = "reference"}).status().code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace penult
