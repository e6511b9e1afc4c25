#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "engine/ops/op.h"

namespace penult {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal(const OpDef& op, Attributes attrs) {
  const Status status = check_attributes(op, attrs);
  EXPECT_EQ(status.code(), StatusCode::kModelInvalid);
  return status.message();
}

Attributes conv() { return Attributes().set("strides", {1, 1}); }

TEST(CheckAttributes, FillsInDefaultsOfTheRightCount) {
  Attributes attrs = conv().set("groups", 4);
  ASSERT_TRUE(check_attributes(kConv2d, attrs).ok());
  EXPECT_THAT(attrs.find("dilations")->ints, ElementsAre(1, 1));
  EXPECT_THAT(attrs.find("pads")->ints, ElementsAre(0, 0, 0, 0));
  EXPECT_THAT(attrs.find("pad_mode")->ints, ElementsAre(0));
  EXPECT_THAT(attrs.find("groups")->ints, ElementsAre(4)) << "given values stay";
  EXPECT_EQ(attrs.all().size(), 5u);
}

TEST(CheckAttributes, RefusesUnknownAndMissingNames) {
  EXPECT_EQ(refusal(kConv2d, conv().set("kernel", 3)),
            "attribute \"kernel\": unknown to operator conv2d");
  EXPECT_EQ(refusal(kConv2d, {}), "attribute \"strides\": required by operator conv2d");
  EXPECT_THAT(refusal(kRelu, Attributes().set("a\nb", 1)), HasSubstr("a\\x0ab"));
}

TEST(CheckAttributes, RefusesWrongKindsAndCounts) {
  EXPECT_EQ(refusal(kConv2d, Attributes().set("strides", 1)),
            "attribute \"strides\": expected 2 integers, got 1");
  EXPECT_EQ(refusal(kConv2d, conv().set("pads", std::vector<int64_t>{})),
            "attribute \"pads\": expected 4 integers, got 0");
  EXPECT_EQ(refusal(kConv2d, Attributes().set_float("strides", 1)),
            "attribute \"strides\": expected 2 integers, got 1 floats");
  EXPECT_EQ(refusal(kBatchnorm, Attributes().set("eps", 1)),
            "attribute \"eps\": expected one float, got 1 integers");
}

TEST(CheckAttributes, HoldsIntegersToTheirRange) {
  for (const int64_t bad : {int64_t{0}, int64_t{-1}, int64_t{1025}}) {
    EXPECT_THAT(refusal(kConv2d, Attributes().set("strides", {1, bad})), HasSubstr("1..1024"));
    EXPECT_THAT(refusal(kConv2d, conv().set("dilations", {bad, 1})), HasSubstr("1..1024"));
  }
  EXPECT_THAT(refusal(kConv2d, conv().set("pads", {0, 0, 0, -1})), HasSubstr("0..65535"));
  EXPECT_THAT(refusal(kConv2d, conv().set("pads", {65536, 0, 0, 0})), HasSubstr("0..65535"));
  EXPECT_THAT(refusal(kConv2d, conv().set("groups", 0)), HasSubstr("\"groups\""));
  EXPECT_THAT(refusal(kConv2d, conv().set("pad_mode", 2)), HasSubstr("0..1"));
  Attributes largest = Attributes()
                           .set("strides", {1024, 1024})
                           .set("dilations", {1024, 1024})
                           .set("pads", {65535, 65535, 65535, 65535});
  EXPECT_TRUE(check_attributes(kConv2d, largest).ok());
}

TEST(CheckAttributes, WantsAFinitePositiveEps) {
  for (const float bad : {0.0f, -1e-5f, std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_THAT(refusal(kBatchnorm, Attributes().set_float("eps", bad)), HasSubstr("finite"));
  }
  Attributes tiny = Attributes().set_float("eps", std::numeric_limits<float>::denorm_min());
  EXPECT_TRUE(check_attributes(kBatchnorm, tiny).ok());
}

TEST(CheckAttributes, RefusesALongListBeforeLookingAtIt) {
  Attributes attrs;
  for (int i = 0; i < 65; ++i) attrs.set("a" + std::to_string(i), 1);
  EXPECT_EQ(refusal(kRelu, attrs), "attributes: expected at most 64, got 65");
}

}  // namespace
}  // namespace penult
