#include "engine/base/attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penult {
namespace {

using testing::ElementsAre;
using testing::Field;

TEST(Attributes, StaySortedByNameInWhateverOrderTheyWereSet) {
  Attributes attrs;
  attrs.set("strides", {2, 2}).set("groups", 1).set_float("eps", 1e-3f).set("pads", {0, 1, 2, 3});
  EXPECT_THAT(attrs.all(),
              ElementsAre(Field(&Attribute::name, "eps"), Field(&Attribute::name, "groups"),
                          Field(&Attribute::name, "pads"), Field(&Attribute::name, "strides")));
}

TEST(Attributes, GiveBackWhatWasSet) {
  Attributes attrs;
  attrs.set("pads", {4, 5, 6, 7}).set_float("eps", 0.25f);
  EXPECT_EQ(attrs.get_int("pads"), 4);
  EXPECT_EQ(attrs.get_int("pads", 3), 7);
  EXPECT_EQ(attrs.get_float("eps"), 0.25f);
  EXPECT_EQ(attrs.find("pad"), nullptr);
  EXPECT_EQ(attrs.find("zzz"), nullptr);
}

TEST(Attributes, SettingANameAgainReplacesValueAndKind) {
  Attributes attrs;
  attrs.set("a", {1, 2});
  attrs.set_float("a", 3.0f);
  ASSERT_EQ(attrs.all().size(), 1u);
  EXPECT_TRUE(attrs.find("a")->ints.empty());
  attrs.set("a", 7);
  EXPECT_TRUE(attrs.find("a")->floats.empty());
  EXPECT_EQ(attrs.get_int("a"), 7);
}

TEST(Attributes, CompareByContentNotByOrderOfSetting) {
  Attributes a, b;
  a.set("x", 1).set("y", 2);
  b.set("y", 2).set("x", 1);
  EXPECT_EQ(a, b);
  EXPECT_NE(a, b.set("y", 3));
}

}  // namespace
}  // namespace penult
