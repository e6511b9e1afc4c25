#include "engine/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace penult {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

TEST(EscapeName, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(escape_name("features.14.conv.3"), "features.14.conv.3");
  EXPECT_EQ(escape_name("k\xc3\xbcste \xe6\xb5\xb7 \xf0\x9f\x8c\x8a"),
            "k\xc3\xbcste \xe6\xb5\xb7 \xf0\x9f\x8c\x8a");
  EXPECT_EQ(escape_name(""), "");
}

TEST(EscapeName, NothingCanBreakOutOfOneQuotedLine) {
  EXPECT_EQ(escape_name("a\nb\tc\x1b[31m\x7f"), "a\\x0ab\\x09c\\x1b[31m\\x7f");
  EXPECT_EQ(escape_name(std::string("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(escape_name("\"'\\"), "\\x22\\x27\\x5c");
  EXPECT_EQ(escape_name("\xc2\x9b"), "\\xc2\\x9b");           // a control sequence in one byte
  EXPECT_EQ(escape_name("\xe2\x80\xae"), "\\xe2\\x80\\xae");  // writes right to left
  EXPECT_EQ(escape_name("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");  // line separator
  EXPECT_EQ(quote("x\"y"), "\"x\\x22y\"");
}

TEST(EscapeName, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(escape_name("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(escape_name("\xc3(ok"), "\\xc3(ok");
  EXPECT_EQ(escape_name("\xe6\xb5"), "\\xe6\\xb5");
}

TEST(EscapeName, CutsLongNamesBetweenCharacters) {
  EXPECT_EQ(escape_name(std::string(256, 'x')), std::string(256, 'x'));
  EXPECT_EQ(escape_name(std::string(257, 'x')), std::string(256, 'x') + "...");
  std::string wide;
  for (int i = 0; i < 200; ++i) wide += "\xe6\xb5\xb7";
  const std::string cut = escape_name(wide);
  EXPECT_EQ(cut.size(), 85u * 3 + 3);
  EXPECT_TRUE(is_valid_utf8(cut));
  const std::string controls = escape_name(std::string(1000, '\n'));
  EXPECT_EQ(controls.size(), 256u + 3);
  EXPECT_THAT(controls, EndsWith("\\x0a..."));
}

TEST(IsValidUtf8, RefusesOverlongSurrogateTooLargeAndCutSequences) {
  EXPECT_TRUE(is_valid_utf8(""));
  EXPECT_TRUE(is_valid_utf8("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf\xc2\x80\xe0\xa0\x80"));
  for (const char* bad :
       {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xe0\x9f\xbf", "\xed\xa0\x80",
        "\xed\xbf\xbf", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xc3",
        "\xe6\xb5", "\xf0\x9f\x8c", "a\xc3(", "\xc3\xc3"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << escape_name(bad);
  }
}

TEST(IsValidName, WantsOneTo255BytesWithoutControlCharacters) {
  EXPECT_TRUE(is_valid_name("layer4.2.relu_2"));
  EXPECT_TRUE(is_valid_name(std::string(255, 'x')));
  EXPECT_FALSE(is_valid_name(""));
  EXPECT_FALSE(is_valid_name(std::string(256, 'x')));
  EXPECT_FALSE(is_valid_name("a\nb"));
  EXPECT_FALSE(is_valid_name(std::string("a\0b", 3)));
  EXPECT_FALSE(is_valid_name("a\x7f"));
  EXPECT_FALSE(is_valid_name("\xc2\x85"));
  EXPECT_FALSE(is_valid_name("\xc3"));
}

TEST(ToText, WritesNumbersSoThatTheyReadBackEqual) {
  EXPECT_EQ(to_text(0.1), "0.1");
  EXPECT_EQ(to_text(-1e-5), "-1e-05");
  EXPECT_EQ(std::stod(to_text(1.0 / 3)), 1.0 / 3);
  EXPECT_EQ(to_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(to_text(-std::nan("")), "nan");
  EXPECT_EQ(to_text(std::vector<int64_t>{1, -2, 3}), "(1,-2,3)");
  EXPECT_EQ(to_text(std::vector<int>{}), "()");
  EXPECT_EQ(concat("expected ", 3, ", got ", std::vector<int>{4}), "expected 3, got (4)");
}

TEST(NearestNames, OffersPlausibleSlipsOnly) {
  const std::vector<std::string> taps = {"features.1", "features.14", "features.18", "classifier"};
  EXPECT_THAT(nearest_names("feature.14", taps, 3),
              ElementsAre("features.14", "features.1", "features.18"));
  EXPECT_THAT(nearest_names("clasifier", taps, 3), ElementsAre("classifier"));
}

TEST(NearestNames, OffersNothingThatIsFar) {
  EXPECT_THAT(nearest_names("nosuch", {"vgg11", "vgg13", "bn1.act", "open-nsfw"}, 3), IsEmpty());
  EXPECT_THAT(nearest_names("nope", {"open-nsfw", "keras-tf"}, 3), IsEmpty());
  EXPECT_THAT(nearest_names("ab", {"cb", "cd"}, 3), ElementsAre("cb"));  // one letter may be wrong
  EXPECT_THAT(nearest_names("abcdef", {"abcdxy", "abcxyz"}, 3), ElementsAre("abcdxy"));  // a third
  EXPECT_THAT(nearest_names("", {"a", "aa"}, 3), ElementsAre("a"));
  EXPECT_THAT(nearest_names("zzz", {}, 2), IsEmpty());
  EXPECT_THAT(nearest_names("zzz", {"zzz"}, 0), IsEmpty());
}

TEST(NearestNames, OffersRelatedOnesWhenNoneIsASlip) {
  const std::vector<std::string> names = {"keras-tf", "timm-0.95", "torchvision-256",
                                          "torchvision-232", "torchvision-swag-e2e"};
  EXPECT_THAT(nearest_names("torchvision", names, 2),
              ElementsAre("torchvision-256", "torchvision-232"));
  EXPECT_THAT(nearest_names("my-keras-net", names, 3), ElementsAre("keras-tf"));
  EXPECT_THAT(nearest_names("torchvision-256-but-other", names, 1), ElementsAre("torchvision-256"));
  EXPECT_THAT(nearest_names("something-tf", names, 3), IsEmpty());  // "tf" is too short a word
}

TEST(NearestNames, KeepsTheListsOrderAmongEquals) {
  EXPECT_THAT(nearest_names("conv5", {"conv3", "conv1", "conv2"}, 2),
              ElementsAre("conv3", "conv1"));
}

}  // namespace
}  // namespace penult
