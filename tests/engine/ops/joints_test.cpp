// mul, concat, slice, pad, flatten, softmax and the activations.

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>

#include "tests/engine/ops/applied.h"

namespace penult {
namespace {

using testing::HasSubstr;

TEST(Mul, ScalesChannelsFromEitherSide) {
  const Shape map = Shape::map(3, 4, 5);
  EXPECT_EQ(Applied(kMul, {}, {map, map}).shape, map);
  EXPECT_EQ(Applied(kMul, {}, {map, Shape::vector(3)}).shape, map);
  EXPECT_EQ(Applied(kMul, {}, {Shape::map(3, 1, 1), map}).shape, map);
  EXPECT_EQ(Applied(kMul, {}, {Shape::vector(3), Shape::map(3, 1, 1)}).shape, Shape::map(3, 1, 1));
  EXPECT_EQ(Applied(kMul, {}, {Shape::vector(3), Shape::vector(3)}).shape, Shape::vector(3));
}

TEST(Mul, RefusesOtherBroadcasts) {
  EXPECT_EQ(refusal({kMul, {}, {Shape::map(3, 4, 5), Shape::map(3, 1, 5)}}),
            "inputs: expected two equal shapes, or (c) or (c,1,1) and (c,h,w), got (3,4,5) and "
            "(3,1,5)");
  EXPECT_THAT(refusal({kMul, {}, {Shape::map(3, 4, 5), Shape::vector(1)}}), HasSubstr("and (1)"));
}

TEST(Concat, AddsTheChannels) {
  EXPECT_EQ(
      Applied(kConcat, {}, {Shape::map(3, 4, 5), Shape::map(1, 4, 5), Shape::map(7, 4, 5)}).shape,
      Shape::map(11, 4, 5));
  EXPECT_EQ(Applied(kConcat, {}, {Shape::vector(3), Shape::vector(4)}).shape, Shape::vector(7));
  EXPECT_EQ(Applied(kConcat, {}, {Shape::map(3, 4, 5)}).shape, Shape::map(3, 4, 5));
}

TEST(Concat, RefusesMapsOfDifferentSizes) {
  EXPECT_EQ(refusal({kConcat, {}, {Shape::map(3, 4, 5), Shape::map(3, 5, 4)}}),
            "inputs: expected shapes that differ in channels only, got (3,4,5) and (3,5,4)");
  EXPECT_THAT(refusal({kConcat, {}, {Shape::map(3, 1, 1), Shape::vector(3)}}), HasSubstr("(3)"));
}

TEST(Concat, TakesOneToManyInputs) {
  EXPECT_FALSE(kConcat.inputs.allows(0));
  EXPECT_TRUE(kConcat.inputs.allows(1));
  EXPECT_TRUE(kConcat.inputs.allows(256));
  EXPECT_FALSE(kConcat.inputs.allows(257));
  EXPECT_FALSE(kMul.inputs.allows(1));
  EXPECT_FALSE(kMul.inputs.allows(3));
}

TEST(Slice, TakesARangeOfChannels) {
  const Attributes part = Attributes().set("begin", 1).set("end", 3);
  EXPECT_EQ(Applied(kSlice, part, {Shape::map(4, 5, 6)}).shape, Shape::map(2, 5, 6));
  EXPECT_EQ(Applied(kSlice, part, {Shape::map(3, 5, 6)}).shape, Shape::map(2, 5, 6));
  EXPECT_EQ(Applied(kSlice, part, {Shape::vector(4)}).shape, Shape::vector(2));
}

TEST(Slice, RefusesEmptyRangesAndThoseBeyondTheChannels) {
  const Attributes part = Attributes().set("begin", 1).set("end", 3);
  EXPECT_EQ(refusal({kSlice, part, {Shape::map(2, 5, 6)}}),
            "channels: expected begin < end <= 2 for input (2,5,6), got begin 1 and end 3");
  const Attributes empty = Attributes().set("begin", 3).set("end", 3);
  EXPECT_THAT(refusal({kSlice, empty, {Shape::map(8, 5, 6)}}), HasSubstr("begin 3 and end 3"));
  Attributes negative = Attributes().set("begin", -1).set("end", 3);
  EXPECT_FALSE(check_attributes(kSlice, negative).ok());
  Attributes open = Attributes().set("begin", 1);
  EXPECT_FALSE(check_attributes(kSlice, open).ok());
}

TEST(Pad, WidensTheMapOrCutsIt) {
  const Attributes pads = Attributes().set("pads", {1, 2, 3, 4});
  EXPECT_EQ(Applied(kPad, pads, {Shape::map(2, 5, 6)}).shape, Shape::map(2, 9, 12));
  EXPECT_THAT(refusal({kPad, pads, {Shape::vector(2)}}), HasSubstr("expected a map"));
  const Attributes crop = Attributes().set("pads", {0, 0, -1, -2});
  EXPECT_EQ(Applied(kPad, crop, {Shape::map(2, 5, 6)}).shape, Shape::map(2, 4, 4));
  EXPECT_THAT(refusal({kPad, crop, {Shape::map(2, 5, 2)}}), HasSubstr("expected to leave a pixel"));
}

TEST(Flatten, TurnsAnythingIntoAVector) {
  EXPECT_EQ(Applied(kFlattenOp, {}, {Shape::map(2, 3, 4)}).shape, Shape::vector(24));
  EXPECT_EQ(Applied(kFlattenOp, {}, {Shape::vector(5)}).shape, Shape::vector(5));
  EXPECT_THAT(refusal({kFlattenOp, {}, {Shape::map(1 << 20, 1 << 10, 1 << 10)}}),
              HasSubstr("expected up to 2147483647 elements"));
}

TEST(Softmax, WantsAVector) {
  EXPECT_EQ(Applied(kSoftmax, {}, {Shape::vector(1000)}).shape, Shape::vector(1000));
  EXPECT_THAT(refusal({kSoftmax, {}, {Shape::map(3, 1, 1)}}), HasSubstr("expected a vector"));
}

TEST(Activations, KeepTheShapeAndNameTheirFunction) {
  const auto is_required = [](const AttributeSpec& spec) { return spec.required; };
  for (const OpDef* op : all_ops()) {
    const auto& specs = op->attributes;
    if (op->activation == nullptr || std::any_of(specs.begin(), specs.end(), is_required)) continue;
    const Applied to_map(*op, {}, {Shape::map(3, 4, 5)});
    EXPECT_EQ(to_map.shape, Shape::map(3, 4, 5)) << op->name;
    EXPECT_EQ(Applied(*op, {}, {Shape::vector(3)}).shape, Shape::vector(3)) << op->name;
    EXPECT_NE(op->activation(to_map.attrs), Activation{}) << op->name;
  }
  EXPECT_EQ(kSilu.activation({}).kind, Activation::Kind::kSilu);
}

TEST(LeakyRelu, HasTheSlopeOfTorchUnlessGiven) {
  const Applied op(kLeakyRelu, {}, {Shape::vector(3)});
  EXPECT_EQ(kLeakyRelu.activation(op.attrs), Activation::leaky_relu(0.01F));
  Attributes infinite = Attributes().set_float("slope", std::numeric_limits<float>::infinity());
  EXPECT_FALSE(check_attributes(kLeakyRelu, infinite).ok());
}

TEST(Clip, WantsItsLimitsInOrder) {
  const auto limits = [](float lo, float hi) {
    return Attributes().set_float("lo", lo).set_float("hi", hi);
  };
  const Applied op(kClip, limits(-1, 2), {Shape::map(3, 4, 5)});
  EXPECT_EQ(op.shape, Shape::map(3, 4, 5));
  EXPECT_EQ(kClip.activation(op.attrs), Activation::clamp(-1, 2));
  EXPECT_EQ(refusal({kClip, limits(2, -1), {Shape::vector(3)}}), "expected lo <= hi, got 2 and -1");
  Attributes half = Attributes().set_float("lo", 0);
  EXPECT_FALSE(check_attributes(kClip, half).ok());
}

}  // namespace
}  // namespace penult
