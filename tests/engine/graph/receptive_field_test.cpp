#include "engine/graph/receptive_field.h"

#include <gtest/gtest.h>

#include "tests/engine/graph/small_graph.h"

namespace penult {
namespace {

using FieldAxis = ReceptiveField::Axis;

Attributes pads(int64_t top, int64_t left, int64_t bottom, int64_t right) {
  return Attributes().set("pads", {top, left, bottom, right});
}

Attributes pool(int64_t kernel, int64_t stride) {
  return Attributes().set("kernel", {kernel, kernel}).set("strides", {stride, stride});
}

ReceptiveField field_of(SmallGraph& g, ValueId value, int64_t size = 64) {
  EXPECT_EQ(validate(g.graph).message(), "");
  EXPECT_EQ(infer_shapes(g.graph, 3, size, size).message(), "");
  return receptive_fields(g.graph)[static_cast<size_t>(value)];
}

TEST(ReceptiveFields, OfTheInputIsAPixel) {
  SmallGraph g;
  const ReceptiveField field = field_of(g, g.relu("a", g.graph.input));
  EXPECT_EQ(field, ReceptiveField());
  EXPECT_EQ(field.rows.size(), 1);
}

TEST(ReceptiveFields, GrowThroughWindowsByTheStrideBefore) {
  SmallGraph g;
  ValueId x = g.conv("a", g.graph.input, {8, 3, 7, 3}, 2, pads(3, 1, 3, 1));
  x = g.graph.add_node(kMaxPool2d, "b", {x}, {}, pool(3, 2));
  const ReceptiveField field = field_of(g, x);
  EXPECT_EQ(field.rows, (FieldAxis{.first = -3, .last = 7, .stride = 4}));
  EXPECT_EQ(field.columns, (FieldAxis{.first = -1, .last = 5, .stride = 4}));
  EXPECT_FALSE(field.whole);
}

TEST(ReceptiveFields, CountDilatedWindowsWithTheirGaps) {
  SmallGraph g;
  const auto dilated = pads(2, 4, 2, 4).set("dilations", {2, 4});
  const ReceptiveField field = field_of(g, g.conv("a", g.graph.input, {8, 3, 3, 3}, 1, dilated));
  EXPECT_EQ(field.rows.size(), 5);
  EXPECT_EQ(field.columns.size(), 9);
}

TEST(ReceptiveFields, FollowPaddingThatIsResolvedOrCut) {
  SmallGraph g;
  Attributes same;
  same.set("pad_mode", 1);
  ValueId x = g.conv("a", g.graph.input, {8, 3, 3, 3}, 2, same);  // of 64: 0 before, 1 behind
  EXPECT_EQ(field_of(g, x).rows, (FieldAxis{.first = 0, .last = 2, .stride = 2}));
  x = g.graph.add_node(kPad, "b", {x}, {}, pads(-1, 2, 0, 0));
  EXPECT_EQ(field_of(g, x).rows, (FieldAxis{.first = 2, .last = 4, .stride = 2}));
  EXPECT_EQ(field_of(g, x).columns, (FieldAxis{.first = -4, .last = -2, .stride = 2}));
}

TEST(ReceptiveFields, SpanThoseOfAllPathsThatJoin) {
  SmallGraph g;
  const ValueId a = g.conv("a", g.graph.input, {8, 3, 3, 3}, 1, pads(1, 1, 1, 1));
  const ValueId b = g.conv("b", g.graph.input, {8, 3, 1, 1});
  EXPECT_EQ(field_of(g, g.add("c", b, a)).rows, (FieldAxis{.first = -1, .last = 1, .stride = 1}));
  const ValueId shifted = g.graph.add_node(kPad, "d", {b}, {}, pads(-4, 0, 4, 0));
  EXPECT_EQ(field_of(g, g.add("e", shifted, a)).rows,
            (FieldAxis{.first = -1, .last = 4, .stride = 1}));
}

TEST(ReceptiveFields, AreTheWholeInputBehindAGlobalPooling) {
  SmallGraph g;
  const ValueId a = g.conv("a", g.graph.input, {8, 3, 3, 3}, 2, pads(1, 1, 1, 1));
  const ValueId pooled = g.graph.add_node(kGlobalAvgPool, "b", {a});
  const ValueId scaled = g.graph.add_node(kMul, "c", {a, pooled});
  const ValueId flat = g.graph.add_node(kFlattenOp, "d", {a});
  EXPECT_FALSE(field_of(g, a).whole);
  EXPECT_TRUE(field_of(g, pooled).whole);
  EXPECT_TRUE(field_of(g, scaled).whole);
  EXPECT_EQ(field_of(g, scaled).rows.stride, 2);
  EXPECT_TRUE(field_of(g, flat).whole);
}

TEST(ReceptiveFields, AreTheWholeInputWhereAPixelMeetsAMap) {
  SmallGraph g;
  const ValueId a = g.conv("a", g.graph.input, {8, 3, 1, 1});
  const ValueId pixel = g.graph.add_node(kAvgPool2d, "b", {a}, {}, pool(64, 1));
  EXPECT_FALSE(field_of(g, pixel).whole);
  EXPECT_EQ(field_of(g, pixel).rows, (FieldAxis{.first = 0, .last = 63, .stride = 1}));
  EXPECT_TRUE(field_of(g, g.graph.add_node(kMul, "c", {a, pixel})).whole);
}

TEST(ReceptiveFields, StayWithin64BitsInAFileThatPadsAndStridesWithoutEnd) {
  SmallGraph g;
  ValueId x = g.graph.input;
  for (int i = 0; i < 200; ++i) {
    const std::string name = std::to_string(i);
    x = g.graph.add_node(kPad, "pad" + name, {x}, {}, pads(0, 65535, 0, 65535));
    x = g.conv("conv" + name, x, {3, 3, 1, 1}, 1, Attributes().set("dilations", {1024, 1024}));
    g.graph.nodes.back().attrs.set("strides", {1, 1024});
  }
  const ReceptiveField field = field_of(g, x);
  EXPECT_EQ(field.columns.stride, int64_t{1} << 40);
  EXPECT_EQ(field.columns.first, -(int64_t{1} << 40));
  EXPECT_EQ(field.columns.last, -(int64_t{1} << 40));
}

}  // namespace
}  // namespace penult
