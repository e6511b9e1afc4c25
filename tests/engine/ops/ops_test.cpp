#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string_view>

#include "tests/engine/ops/applied.h"

namespace penult {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Attributes strides(int64_t sh, int64_t sw) { return Attributes().set("strides", {sh, sw}); }

TEST(OpList, IsSortedAndFindsEveryOperatorByName) {
  const auto ops = all_ops();
  EXPECT_TRUE(std::is_sorted(ops.begin(), ops.end(), [](const OpDef* a, const OpDef* b) {
    return std::string_view(a->name) < b->name;
  }));
  for (const OpDef* op : ops) EXPECT_EQ(find_op(op->name), op);
  EXPECT_EQ(find_op("conv2"), nullptr);
  EXPECT_EQ(find_op("zzz"), nullptr);
  EXPECT_EQ(find_op(""), nullptr);
}

TEST(OpList, EveryOperatorIsComplete) {
  for (const OpDef* op : all_ops()) {
    EXPECT_GE(op->inputs.min, 1u) << op->name;
    EXPECT_NE(op->infer, nullptr) << op->name;
    EXPECT_NE(op->macs, nullptr) << op->name;
    if (op->folds_batchnorm) {
      ASSERT_EQ(op->weights.size(), 2u) << op->name;
      EXPECT_STREQ(op->weights[1].name, "bias") << op->name;
    }
  }
}

TEST(Conv2d, OutputSizeIsThatOfTheTextbookFormula) {
  // The first layers of ResNet-50 and MobileNetV2.
  const Applied stem(kConv2d, strides(2, 2).set("pads", {3, 3, 3, 3}), {Shape::map(3, 224, 224)},
                     {{64, 3, 7, 7}});
  EXPECT_EQ(stem.shape, Shape::map(64, 112, 112));
  EXPECT_EQ(stem.macs, 118013952u);
  const Applied depthwise(kConv2d, strides(1, 1).set("pads", {1, 1, 1, 1}).set("groups", 32),
                          {Shape::map(32, 112, 112)}, {{32, 1, 3, 3}, {32}});
  EXPECT_EQ(depthwise.shape, Shape::map(32, 112, 112));
  EXPECT_EQ(depthwise.macs, 3612672u);
}

TEST(Conv2d, TreatsHeightAndWidthApart) {
  const Applied conv(kConv2d, strides(2, 1).set("dilations", {1, 2}).set("pads", {0, 1, 2, 3}),
                     {Shape::map(1, 10, 10)}, {{1, 1, 3, 2}});
  // height: (10 + 0 + 2 - 3) / 2 + 1; width: (10 + 1 + 3 - 3) / 1 + 1
  EXPECT_EQ(conv.shape, Shape::map(1, 5, 12));
}

TEST(Conv2d, TakesAFactorForEachChannelOnlyWherePointwise) {
  const Shape x = Shape::map(6, 5, 5);
  for (const Shape& factors : {Shape::vector(6), Shape::map(6, 1, 1)}) {
    const Applied conv(kConv2d, strides(2, 2), {x, factors}, {{4, 6, 1, 1}});
    EXPECT_EQ(conv.shape, Shape::map(4, 3, 3));
  }
  EXPECT_THAT(refusal(Applied(kConv2d, strides(1, 1), {x, Shape::vector(5)}, {{4, 6, 1, 1}})),
              HasSubstr("expected a factor for each of the 6 channels"));
  EXPECT_THAT(refusal(Applied(kConv2d, strides(1, 1), {x, x}, {{4, 6, 1, 1}})),
              HasSubstr("expected a factor"));
  EXPECT_THAT(refusal(Applied(kConv2d, strides(1, 1), {x, Shape::vector(6)}, {{4, 6, 3, 3}})),
              HasSubstr("expected a 1x1 kernel in one group without padding"));
  EXPECT_THAT(refusal(Applied(kConv2d, strides(1, 1).set("pads", {0, 0, 1, 0}),
                              {x, Shape::vector(6)}, {{4, 6, 1, 1}})),
              HasSubstr("without padding"));
  EXPECT_THAT(refusal(Applied(kConv2d, strides(1, 1).set("groups", 2), {x, Shape::vector(6)},
                              {{4, 3, 1, 1}})),
              HasSubstr("in one group"));
}

TEST(Conv2d, SamePaddingPutsTheOddPixelAtTheEnd) {
  const auto pads = [](int64_t size, int64_t kernel, int64_t stride, int64_t dilation = 1) {
    const Applied conv(
        kConv2d, strides(stride, stride).set("pad_mode", 1).set("dilations", {dilation, dilation}),
        {Shape::map(1, size, size)}, {{1, 1, kernel, kernel}});
    EXPECT_EQ(conv.shape.h, (size + stride - 1) / stride);
    EXPECT_EQ(conv.attrs.get_int("pad_mode"), 0);
    return conv.attrs.find("pads")->ints;
  };
  EXPECT_THAT(pads(224, 3, 2), ElementsAre(0, 0, 1, 1));
  EXPECT_THAT(pads(112, 3, 1), ElementsAre(1, 1, 1, 1));
  EXPECT_THAT(pads(56, 5, 2), ElementsAre(1, 1, 2, 2));
  EXPECT_THAT(pads(7, 5, 2), ElementsAre(2, 2, 2, 2));
  EXPECT_THAT(pads(10, 1, 3), ElementsAre(0, 0, 0, 0)) << "never negative";
  EXPECT_THAT(pads(10, 3, 1, 4), ElementsAre(4, 4, 4, 4));
  EXPECT_THAT(pads(1, 4, 1), ElementsAre(1, 1, 2, 2));
}

TEST(Conv2d, ExplicitPaddingIsLeftAlone) {
  const Applied conv(kConv2d, strides(2, 2).set("pads", {0, 1, 2, 3}), {Shape::map(1, 9, 9)},
                     {{1, 1, 3, 3}});
  EXPECT_THAT(conv.attrs.find("pads")->ints, ElementsAre(0, 1, 2, 3));
}

TEST(Conv2d, RefusesWeightsThatDoNotFitTheChannels) {
  const Shape src = Shape::map(6, 8, 8);
  EXPECT_EQ(refusal({kConv2d, strides(1, 1), {src}, {{4, 3, 1, 1}}}),
            "weight \"weight\": expected (4,6,1,1) for input (6,8,8), got (4,3,1,1)");
  EXPECT_EQ(refusal({kConv2d, strides(1, 1), {src}, {{4, 6, 1, 1}, {6}}}),
            "weight \"bias\": expected (4) for input (6,8,8), got (6)");
  EXPECT_EQ(refusal({kConv2d, strides(1, 1).set("groups", 4), {src}, {{4, 1, 1, 1}}}),
            "groups: expected a divisor of 6 input and 4 output channels, got 4");
  EXPECT_THAT(refusal({kConv2d, strides(1, 1).set("groups", 3), {src}, {{4, 2, 1, 1}}}),
              HasSubstr("groups"));
}

TEST(Conv2d, RefusesWhatLeavesNoOutputPixel) {
  EXPECT_EQ(refusal({kConv2d, strides(1, 1), {Shape::map(1, 8, 4)}, {{1, 1, 3, 5}}}),
            "input width: expected at least 5 pixels with padding (kernel 5, dilation 1), got 4");
  EXPECT_THAT(
      refusal(
          {kConv2d, strides(1, 1).set("dilations", {4, 1}), {Shape::map(1, 8, 8)}, {{1, 1, 3, 3}}}),
      HasSubstr("input height: expected at least 9 pixels"));
}

TEST(Conv2d, RefusesKernelsAndPaddingsBeyondTheirLimits) {
  EXPECT_EQ(refusal({kConv2d, strides(1, 1), {Shape::map(1, 9999, 9999)}, {{1, 1, 4097, 1}}}),
            "kernel height: expected 1..4096, got 4097");
  EXPECT_THAT(refusal({kConv2d,
                       strides(1, 1).set("pad_mode", 1).set("dilations", {1, 1024}),
                       {Shape::map(1, 9, 9)},
                       {{1, 1, 1, 4096}}}),
              HasSubstr("padding of the width: expected 0..65535"));
  EXPECT_EQ(refusal({kConv2d,
                     strides(1, 1).set("pad_mode", 1).set("dilations", {1024, 1024}),
                     {Shape::map(1, 9, 9)},
                     {{1, 1, 2147483647, 2147483647}}}),
            "kernel height: expected 1..4096, got 2147483647");
}

TEST(Conv2d, RefusesAVector) {
  EXPECT_EQ(refusal({kConv2d, strides(1, 1), {Shape::vector(8)}, {{1, 8, 1, 1}}}),
            "input: expected a map (c,h,w), got (8)");
}

TEST(Conv2d, CountSaturatesInsteadOfWrapping) {
  const Applied conv(kConv2d, strides(1, 1), {Shape::map(1 << 20, 5119, 4351)},
                     {{1 << 12, 1 << 20, 1 << 12, 1 << 8}});
  EXPECT_EQ(conv.macs, std::numeric_limits<uint64_t>::max());
}

TEST(Batchnorm, WantsEveryStatisticForEveryChannel) {
  const Attributes eps = Attributes().set_float("eps", 1e-3f);
  const Shape src = Shape::map(4, 2, 2);
  const Applied good(kBatchnorm, eps, {src}, Dims(4, {4}));
  EXPECT_EQ(good.shape, src);
  EXPECT_EQ(good.macs, 0u);
  EXPECT_EQ(Applied(kBatchnorm, eps, {Shape::vector(4)}, Dims(4, {4})).shape, Shape::vector(4));
  const char* slots[] = {"gamma", "beta", "mean", "var"};
  for (size_t i = 0; i < 4; ++i) {
    Dims dims(4, {4});
    dims[i] = {5};
    EXPECT_EQ(refusal({kBatchnorm, eps, {src}, dims}),
              std::string("weight \"") + slots[i] + "\": expected (4) for input (4,2,2), got (5)");
  }
}

TEST(Add, WantsEqualShapes) {
  EXPECT_EQ(Applied(kAdd, {}, {Shape::map(3, 4, 5), Shape::map(3, 4, 5)}).shape,
            Shape::map(3, 4, 5));
  EXPECT_EQ(refusal({kAdd, {}, {Shape::map(3, 4, 5), Shape::map(3, 5, 4)}}),
            "inputs: expected two equal shapes, got (3,4,5) and (3,5,4)");
  EXPECT_THAT(refusal({kAdd, {}, {Shape::map(3, 1, 1), Shape::vector(3)}}), HasSubstr("(3)"));
}

TEST(Relu, AndRelu6AreActivationsThatKeepTheShape) {
  EXPECT_EQ(Applied(kRelu, {}, {Shape::map(3, 4, 5)}).shape, Shape::map(3, 4, 5));
  EXPECT_EQ(Applied(kRelu6, {}, {Shape::vector(3)}).shape, Shape::vector(3));
  EXPECT_EQ(kRelu.activation({}), Activation::clamp(0, std::numeric_limits<float>::infinity()));
  EXPECT_EQ(kRelu6.activation({}), Activation::clamp(0, 6));
}

TEST(GlobalAvgPool, TurnsAMapIntoAVector) {
  EXPECT_EQ(Applied(kGlobalAvgPool, {}, {Shape::map(1280, 7, 5)}).shape, Shape::vector(1280));
  EXPECT_THAT(refusal({kGlobalAvgPool, {}, {Shape::vector(3)}}), HasSubstr("expected a map"));
}

TEST(Linear, MultipliesAVector) {
  const Applied fc(kLinear, {}, {Shape::vector(1280)}, {{1000, 1280}, {1000}});
  EXPECT_EQ(fc.shape, Shape::vector(1000));
  EXPECT_EQ(fc.macs, 1280000u);
  EXPECT_TRUE(Applied(kLinear, {}, {Shape::vector(8)}, {{2, 8}}).status.ok()) << "without bias";
  EXPECT_EQ(refusal({kLinear, {}, {Shape::vector(8)}, {{2, 9}}}),
            "weight \"weight\": expected (2,8) for input (8), got (2,9)");
  EXPECT_EQ(refusal({kLinear, {}, {Shape::vector(8)}, {{2, 8}, {8}}}),
            "weight \"bias\": expected (2) for input (8), got (8)");
  EXPECT_EQ(refusal({kLinear, {}, {Shape::map(8, 1, 1)}, {{2, 8}}}),
            "input: expected a vector (c), got (8,1,1)");
}

TEST(Pad, AddsAFrameAndCutsWhereNegative) {
  const auto pads = [](std::vector<int64_t> values) {
    return Attributes().set("pads", std::move(values));
  };
  const Shape src = Shape::map(3, 4, 5);
  EXPECT_EQ(Applied(kPad, pads({1, 2, 3, 4}), {src}).shape, Shape::map(3, 8, 11));
  EXPECT_EQ(Applied(kPad, pads({0, 0, -1, -2}), {src}).shape, Shape::map(3, 3, 3));
  EXPECT_EQ(Applied(kPad, pads({-3, 2, 0, -4}), {src}).shape, Shape::map(3, 1, 3));
  EXPECT_EQ(refusal({kPad, pads({-2, 0, -2, 0}), {src}}),
            "pads: expected to leave a pixel of (3,4,5), got (-2,0,-2,0)");
  EXPECT_EQ(refusal({kPad, pads({0, 9, 0, -5}), {src}}),
            "pads: expected to leave a pixel of (3,4,5), got (0,9,0,-5)");
}

}  // namespace
}  // namespace penult
