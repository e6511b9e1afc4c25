// Weights read a few channels at a time are those that are read at once, and a failure in between
// is told.

#include "engine/plan/fold_weights.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "engine/passes/passes.h"
#include "engine/plan/plan.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

constexpr int64_t kChannels = 100, kInputs = 300;  // a piece of 128 KiB is 12 channels

// A convolution of 3 to 300 channels, then one to `kChannels`, with its batchnorm folded in.
struct Net {
  Net() {
    testing::RandomNet net(3);
    const ValueId x = net.conv("x", net.input(), 3, {.oc = kInputs, .kernel = 1});
    const ValueId y = net.conv("y", x, kInputs, {.oc = kChannels, .kernel = 3});
    const ValueId z = net.batchnorm("z", y, kChannels);
    graph = net.finish(3, 8, 8);
    EXPECT_TRUE(run_passes(graph, {z}, {}).ok());
  }
  const Node& node() const { return graph.nodes.back(); }
  Graph graph;
};

std::unique_ptr<FoldedWeights> opened(const Net& net, AlignedBuffer& room) {
  auto weights = FoldedWeights::open(net.graph, net.node(), room);
  EXPECT_TRUE(weights.ok()) << weights.status().message();
  return std::move(*weights);
}

std::vector<float> all_at_once(const Net& net) {
  AlignedBuffer room;
  const auto weights = opened(net, room);
  const auto values = (*weights)[0];
  EXPECT_TRUE(weights->finish().ok());
  return {values.begin(), values.end()};
}

TEST(FoldedWeights, AreTheSameAFewChannelsAtATime) {
  const Net net;
  ASSERT_TRUE(net.node().fused.batchnorm);
  const std::vector<float> expected = all_at_once(net);
  ASSERT_EQ(expected.size(), static_cast<size_t>(kChannels * kInputs * 9));
  AlignedBuffer room;
  for (const int64_t step : {1, 7, 16, 24, 99, 100}) {
    const auto weights = opened(net, room);
    std::vector<float> got;
    for (int64_t c = 0; c < kChannels; c += step) {
      const auto part = weights->channels({c, std::min(c + step, kChannels)});
      got.insert(got.end(), part.begin(), part.end());
    }
    EXPECT_EQ(got, expected) << step;
    EXPECT_TRUE(weights->finish().ok());
    EXPECT_EQ((*weights)[1].size(), static_cast<size_t>(kChannels));
    EXPECT_TRUE((*weights)[2].empty());
  }
}

TEST(FoldedWeights, WhatWasNotReadWasNotVerified) {
  const Net net;
  AlignedBuffer room;
  const auto weights = opened(net, room);
  weights->channels({0, 16});
  EXPECT_EQ(weights->finish().code(), StatusCode::kInternal);
}

// Fails at a number of its floats.
class Failing : public WeightSource {
 public:
  Failing(std::shared_ptr<const WeightSource> source, WeightId id, size_t after)
      : source_(std::move(source)), id_(id), after_(after) {}
  std::unique_ptr<WeightStream> open(WeightId id) const override {
    if (id != id_) return source_->open(id);
    return std::make_unique<Stream>(source_->open(id), after_);
  }

 private:
  class Stream : public WeightStream {
   public:
    Stream(std::unique_ptr<WeightStream> stream, size_t left)
        : stream_(std::move(stream)), left_(left) {}
    Status read(std::span<float> dst) override {
      if (dst.size() > left_) return {StatusCode::kIo, "no more"};
      left_ -= dst.size();
      return stream_->read(dst);
    }

   private:
    std::unique_ptr<WeightStream> stream_;
    size_t left_;
  };
  std::shared_ptr<const WeightSource> source_;
  WeightId id_;
  size_t after_;
};

TEST(FoldedWeights, TellAFailureInTheMiddle) {
  Net net;
  const WeightId id = net.node().weights[0];
  net.graph.source = std::make_shared<Failing>(net.graph.source, id, 40 * kInputs * 9);
  AlignedBuffer room;
  const auto weights = opened(net, room);
  EXPECT_FALSE(weights->channels({0, 16}).empty());
  EXPECT_TRUE(weights->channels({16, 64}).empty());
  EXPECT_TRUE(weights->channels({64, 80}).empty()) << "and nothing behind it";
  EXPECT_EQ(weights->finish().code(), StatusCode::kIo);
}

// Kernels end at once, and the plan has the error.
TEST(FoldedWeights, APlanFailsWithItsWeights) {
  for (const size_t after : {size_t{0}, size_t{40 * kInputs * 9}}) {
    Net net;
    const ValueId last = net.node().output;
    const WeightId id = net.node().weights[0];
    net.graph.source = std::make_shared<Failing>(net.graph.source, id, after);
    EXPECT_EQ(make_plan(net.graph, {{last}}, {}).status().code(), StatusCode::kIo);
  }
}

}  // namespace
}  // namespace penult
