#include <gmock/gmock.h>

#include "engine/ops/window.h"
#include "tests/engine/ops/applied.h"

namespace penult {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Attributes window(int64_t kernel, int64_t stride, int64_t pad = 0) {
  return Attributes()
      .set("kernel", {kernel, kernel})
      .set("strides", {stride, stride})
      .set("pads", {pad, pad, pad, pad});
}

int64_t width(Attributes attrs, int64_t in) {
  return Applied(kMaxPool2d, std::move(attrs), {Shape::map(1, 99, in)}).shape.w;
}

TEST(Pool2d, HasTheSizesOfTheNets) {
  const Applied stem(kMaxPool2d, window(3, 2, 1), {Shape::map(64, 112, 112)});  // ResNet
  EXPECT_EQ(stem.shape, Shape::map(64, 56, 56));
  EXPECT_EQ(stem.macs, 0u);
  EXPECT_EQ(Applied(kAvgPool2d, window(2, 2), {Shape::map(128, 57, 56)}).shape,  // DenseNet
            Shape::map(128, 28, 28));
  EXPECT_EQ(Applied(kMaxPool2d, window(3, 2).set("ceil_mode", 1), {Shape::map(64, 112, 111)}).shape,
            Shape::map(64, 56, 55));  // SqueezeNet, GoogLeNet
}

// What torch.nn.MaxPool2d gives for the same numbers.
TEST(Pool2d, CeilModeCountsAPartialWindowUnlessItStartsInThePadding) {
  EXPECT_EQ(width(window(3, 2), 6), 2);
  EXPECT_EQ(width(window(3, 2).set("ceil_mode", 1), 6), 3);
  EXPECT_EQ(width(window(2, 2).set("ceil_mode", 1), 5), 3);
  EXPECT_EQ(width(window(2, 3, 1).set("ceil_mode", 1), 4), 2) << "a third would start at 5";
  EXPECT_EQ(width(window(1, 3).set("ceil_mode", 1), 3), 1);
  EXPECT_EQ(width(window(3, 2).set("ceil_mode", 1), 2), 1) << "wider than the map";
}

TEST(Pool2d, DilationWidensTheWindow) {
  EXPECT_EQ(width(window(3, 1).set("dilations", {1, 3}), 9), 3);
}

TEST(Pool2d, SamePaddingIsThatOfConvolution) {
  const Applied pool(kMaxPool2d, window(3, 2).set("pad_mode", 1), {Shape::map(1, 112, 7)});
  EXPECT_EQ(pool.shape, Shape::map(1, 56, 4));
  EXPECT_THAT(pool.attrs.find("pads")->ints, ElementsAre(0, 1, 1, 1));
  EXPECT_EQ(pool.attrs.get_int("pad_mode"), 0);
}

TEST(Pool2d, RefusesWindowsOfPaddingAlone) {
  EXPECT_EQ(refusal({kAvgPool2d, window(2, 2, 2), {Shape::map(1, 9, 9)}}),
            "padding of the height: expected less than the window's 2 pixels, got 2");
}

TEST(Pool2d, RefusesWhatLeavesNoOutputPixel) {
  EXPECT_EQ(refusal({kMaxPool2d, window(5, 1), {Shape::map(1, 9, 4)}}),
            "input width: expected at least 5 pixels with padding (kernel 5, dilation 1), got 4");
  EXPECT_THAT(refusal({kMaxPool2d, window(5, 2).set("ceil_mode", 1), {Shape::map(1, 9, 3)}}),
              HasSubstr("expected at least 5 pixels"));
}

TEST(Pool2d, RefusesAVectorAndAttributesOutOfRange) {
  EXPECT_EQ(refusal({kAvgPool2d, window(1, 1), {Shape::vector(8)}}),
            "input: expected a map (c,h,w), got (8)");
  for (Attributes bad : {window(0, 1), window(4097, 1), window(1, 0), window(1, 1025),
                         window(1, 1, 65536), window(1, 1).set("ceil_mode", 2)})
    EXPECT_FALSE(check_attributes(kMaxPool2d, bad).ok());
  Attributes dilated = window(2, 1).set("dilations", {2, 2});
  EXPECT_FALSE(check_attributes(kAvgPool2d, dilated).ok()) << "torch has no such thing";
}

TEST(AvgPool2d, CountsPaddingUnlessToldOtherwise) {
  EXPECT_EQ(Applied(kAvgPool2d, window(3, 1, 1), {Shape::map(1, 5, 5)})
                .attrs.get_int("count_include_pad"),
            1);
}

TEST(AdaptiveAvgPool2d, GivesTheSizeItIsTold) {
  const Attributes size = Attributes().set("output_size", {7, 5});
  EXPECT_EQ(Applied(kAdaptiveAvgPool2d, size, {Shape::map(512, 8, 9)}).shape,
            Shape::map(512, 7, 5));
  EXPECT_EQ(Applied(kAdaptiveAvgPool2d, size, {Shape::map(512, 1, 2)}).shape,
            Shape::map(512, 7, 5));
  EXPECT_EQ(refusal({kAdaptiveAvgPool2d, size, {Shape::vector(8)}}),
            "input: expected a map (c,h,w), got (8)");
  for (Attributes bad :
       {Attributes(), Attributes().set("output_size", {7}), Attributes().set("output_size", {0, 7}),
        Attributes().set("output_size", {7, 4097})})
    EXPECT_FALSE(check_attributes(kAdaptiveAvgPool2d, bad).ok());
}

// rows of windows, columns of windows
TEST(AdaptiveAvgPool2d, StatesTheLongestWindowAndTheDistance) {
  const Shape inputs[] = {Shape::map(1, 8, 3)};
  const Attributes size = Attributes().set("output_size", {3, 7});
  const Windows windows = kAdaptiveAvgPool2d.windows({size, inputs, {}});
  EXPECT_EQ(windows.rows.kernel, 4);  // 0..3, 2..6, 5..8
  EXPECT_EQ(windows.rows.stride, 2);
  EXPECT_EQ(windows.columns.kernel, 2);
  EXPECT_EQ(windows.columns.stride, 1);
}

}  // namespace
}  // namespace penult
