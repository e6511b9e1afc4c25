// Model::taps: what a tap costs is what it needs, and nothing else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ops/op.h"
#include "penult/model.h"
#include "tests/support/tiny_model.h"

namespace penult {
namespace {

std::vector<TapInfo> taps_of(ModelData data) {
  const auto model = Model::from_data(std::move(data));
  EXPECT_TRUE(model.ok()) << model.status().message();
  const auto taps = (*model)->taps();
  EXPECT_TRUE(taps.ok()) << taps.status().message();
  return *taps;
}

TEST(TapCosts, AddUpAlongTheGraph) {
  const std::vector<TapInfo> taps = taps_of(testing::tiny_model());
  EXPECT_EQ(taps[0].macs, 4u * 4 * 4 * 27);                // 3x3x3 at 4x4 pixels, 4 channels
  EXPECT_EQ(taps[4].macs, taps[0].macs + 4u * 4 * 4 * 4);  // and the 1x1 convolution
  EXPECT_EQ(taps[6].macs, taps[4].macs + 12u);             // and the classifier
  EXPECT_EQ(taps[1].weights, 108u + 16);
  EXPECT_EQ(taps[6].macs_share, 1.0);
}

TEST(TapCosts, AreRightBeyondTheFirst64Taps) {
  ModelData data = testing::tiny_model();
  const ValueId side = data.graph.nodes[2].output;  // a branch: the block is not needed
  ValueId x = side;
  for (int i = 0; i < 150; ++i) {
    x = data.graph.add_node(kRelu6, "side." + std::to_string(i), {x});
    data.taps.push_back({"side." + std::to_string(i), x});
  }
  const std::vector<TapInfo> taps = taps_of(std::move(data));
  for (size_t i = 7; i < taps.size(); ++i) {
    EXPECT_EQ(taps[i].macs, taps[2].macs) << i;
    EXPECT_EQ(taps[i].weights, taps[2].weights) << i;
  }
  EXPECT_GT(taps[6].macs, taps.back().macs);
}

TEST(TapCosts, ATapKnowsItsAliases) {
  const std::vector<TapInfo> taps = taps_of(testing::tiny_model());
  EXPECT_EQ(taps[5].aliases, std::vector<std::string>{"penultimate"});
  EXPECT_THAT(taps[4].aliases, ::testing::Not(::testing::Contains("penultimate")));
}

}  // namespace
}  // namespace penult
