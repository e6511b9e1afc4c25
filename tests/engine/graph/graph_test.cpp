#include "engine/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/graph/small_graph.h"

namespace penult {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Graph, KnowsWhoProducesAndWhoReadsAValue) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  const ValueId b = g.relu("b", a);
  const ValueId c = g.add("c", a, b);
  EXPECT_EQ(g.graph.producer(g.graph.input), -1);
  EXPECT_EQ(g.graph.producer(a), 0);
  EXPECT_EQ(g.graph.producer(c), 2);
  EXPECT_THAT(g.graph.consumers(g.graph.input), ElementsAre(0));
  EXPECT_THAT(g.graph.consumers(a), ElementsAre(1, 2));
  EXPECT_THAT(g.graph.consumers(c), IsEmpty());
}

TEST(Graph, AFusedResidualIsARead) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  g.conv("b", g.graph.input, {8, 8, 1, 1});
  g.graph.nodes[1].fused.residual = a;
  EXPECT_THAT(g.graph.consumers(a), ElementsAre(1));
}

TEST(Graph, ANodeThatReadsAValueTwiceCountsOnce) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  g.add("b", a, a);
  EXPECT_THAT(g.graph.consumers(a), ElementsAre(1));
}

TEST(Graph, RetiredNodesNeitherProduceNorRead) {
  SmallGraph g;
  g.relu("a", g.graph.input);
  g.graph.nodes[0].inputs.clear();
  g.graph.nodes[0].output = kNoValue;
  EXPECT_EQ(g.graph.producer(kNoValue), -1);
  EXPECT_THAT(g.graph.consumers(kNoValue), IsEmpty());
}

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
