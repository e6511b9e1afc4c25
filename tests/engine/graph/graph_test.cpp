#include "engine/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/graph/small_graph.h"

namespace penult {
namespace {

using testing::ElementsAre;

TEST(Graph, OutputsAreTheOnesAskedFor) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  EXPECT_FALSE(g.graph.is_output(a));
  g.graph.outputs = {a};
  EXPECT_TRUE(g.graph.is_output(a));
}

TEST(Graph, AddNodeLeavesRoomForOptionalWeights) {
  SmallGraph g;
  g.conv("a", g.graph.input, {8, 3, 3, 3});
  EXPECT_THAT(g.graph.nodes[0].weights, ElementsAre(0, kNoWeight));
}

TEST(WeightInfo, CountsItsElements) {
  EXPECT_EQ((WeightInfo{"w", {64, 3, 7, 7}}).elems(), 9408u);
  EXPECT_EQ((WeightInfo{"w", {1 << 20, 1 << 20}}).elems(), uint64_t{1} << 40);
}

}  // namespace
}  // namespace penult
