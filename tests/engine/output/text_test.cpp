#include "engine/output/text.h"

#include <gtest/gtest.h>

namespace penult {
namespace {

TEST(DecodeText, InvalidBytesAreEscapedAsPythonDoes) {
  EXPECT_EQ(decode_text("a\xff"), (std::u32string{U'a', char32_t{0xdcff}}));
  EXPECT_EQ(decode_text("é€😀"), U"é€😀");
  // An encoded surrogate, an overlong slash, a sequence that is cut off.
  EXPECT_EQ(decode_text("\xed\xb3\xbf"), (std::u32string{0xdced, 0xdcb3, 0xdcbf}));
  EXPECT_EQ(decode_text("\xc0\xaf"), (std::u32string{0xdcc0, 0xdcaf}));
  EXPECT_EQ(decode_text("\xe2\x82"), (std::u32string{0xdce2, 0xdc82}));
  EXPECT_EQ(decode_text(""), U"");
}

TEST(JsonString, KeepsUtf8AndEveryOtherByte) {
  EXPECT_EQ(json_string("é\"\\/\n\x01\x7f"), "\"é\\\"\\\\/\\u000a\\u0001\x7f\"");
  EXPECT_EQ(json_string("a\xff\x80z"), "\"a\\udcff\\udc80z\"");
  EXPECT_EQ(json_string("\xed\xa0\x80"), "\"\\udced\\udca0\\udc80\"");
}

TEST(CsvField, IsQuotedOnlyWhereItMustBe) {
  EXPECT_EQ(csv_field("plain name\xff"), "plain name\xff");
  EXPECT_EQ(csv_field("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_field("a\"b"), "\"a\"\"b\"");
  EXPECT_EQ(csv_field("a\rb"), "\"a\rb\"");
  EXPECT_EQ(csv_field("a\nb"), "\"a\nb\"");
}

}  // namespace
}  // namespace penult
