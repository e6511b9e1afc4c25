#include "engine/passes/uses.h"

#include <gtest/gtest.h>

#include "engine/passes/passes.h"
#include "tests/engine/graph/small_graph.h"

namespace penult {
namespace {

TEST(Uses, KnowWhoProducesAndWhoReadsAValue) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  const ValueId b = g.relu("b", a);
  const ValueId c = g.add("c", a, b);
  const Uses uses(g.graph);
  EXPECT_EQ(uses.producer(g.graph.input), -1);
  EXPECT_EQ(uses.producer(a), 0);
  EXPECT_EQ(uses.producer(c), 2);
  EXPECT_EQ(uses.sole_reader(g.graph.input), 0);
  EXPECT_EQ(uses.sole_reader(b), 2);
  EXPECT_EQ(uses.sole_reader(a), -1) << "two readers";
  EXPECT_EQ(uses.sole_reader(c), -1) << "no reader";
}

TEST(Uses, AnOutputIsReadByTheCallerToo) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  g.graph.outputs = {a, g.relu("b", a)};
  EXPECT_EQ(Uses(g.graph).sole_reader(a), -1);
}

TEST(Uses, AFusedResidualIsARead) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  g.conv("b", g.graph.input, {8, 8, 1, 1});
  g.graph.nodes[1].fused.residual = a;
  EXPECT_EQ(Uses(g.graph).sole_reader(a), 1);
}

TEST(Uses, ANodeThatReadsAValueTwiceCountsOnce) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  g.add("b", a, a);
  EXPECT_EQ(Uses(g.graph).sole_reader(a), 1);
}

TEST(Uses, RetiredNodesNeitherProduceNorRead) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  retire(g.graph.nodes[0]);
  const Uses uses(g.graph);
  EXPECT_EQ(uses.producer(a), -1);
  EXPECT_EQ(uses.sole_reader(g.graph.input), -1);
}

TEST(Uses, FollowANodeThatIsTakenOutAndPutBack) {
  SmallGraph g;
  const ValueId a = g.relu("a", g.graph.input);
  const ValueId b = g.relu("b", a);
  Uses uses(g.graph);
  Node& node = g.graph.nodes[1];
  uses.take_out(node, 1);
  EXPECT_EQ(uses.producer(b), -1);
  EXPECT_EQ(uses.sole_reader(a), -1);
  node.inputs = {g.graph.input};
  uses.put_in(node, 1);
  EXPECT_EQ(uses.producer(b), 1);
  EXPECT_EQ(uses.sole_reader(g.graph.input), -1);
}

}  // namespace
}  // namespace penult
