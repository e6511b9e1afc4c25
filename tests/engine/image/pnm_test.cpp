#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/image/image.h"
#include "tests/engine/image/test_files.h"

namespace penult {
namespace {

using namespace testing;
using ::testing::HasSubstr;

Status status_of(std::string_view text) { return decode_image(pnm_of(text), {}).status(); }

void expect_damaged(const char* reason, std::string_view text) {
  const Status status = status_of(text);
  EXPECT_EQ(status.code(), StatusCode::kImageCorrupt) << text << ": " << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr(reason)) << text;
}

TEST(Pnm, RawPixelsAreReadAsTheyAre) {
  const Image image = test_picture(5, 7);
  const Result<Image> decoded = decode_image(encode_ppm(image), {});
  ASSERT_TRUE(decoded.ok()) << decoded.status().to_string();
  EXPECT_EQ(decoded->h, 5);
  EXPECT_EQ(decoded->w, 7);
  EXPECT_EQ(decoded->rgb, image.rgb);
}

TEST(Pnm, HeaderThatMakesNoSenseIsDamaged) {
  expect_damaged("0", "P5 1 1 0\n.");
  expect_damaged("65536", "P5 1 1 65536\n..");
  expect_damaged("should be", "P5 -1 1 255\n.");
  expect_damaged("should be", "P5 +1 1 255\n.");
  expect_damaged("should be", "P5 1x1 255\n.");
  expect_damaged("should be", "P5 1#comment\n1 255\n.");  // readers disagree on its end
  expect_damaged("too many digits", "P5 00000000001 1 255\n.");
  expect_damaged("too early", "P5 1 1 ");
  expect_damaged("too early", "P5 1 1 # 255");
  EXPECT_EQ(status_of("P5 9999999999 9999999999 255\n.").code(), StatusCode::kLimitExceeded);
}

TEST(Pnm, WithoutAllItsPixelsIsDamaged) {
  EXPECT_TRUE(status_of("P6 1 2 255\n......").ok());
  expect_damaged("within its pixels", "P6 1 2 255\n.....");
  EXPECT_TRUE(status_of("P5 1 2 256\n....").ok());
  expect_damaged("within its pixels", "P5 1 2 256\n...");
  EXPECT_TRUE(status_of("P4 9 2\n....").ok());
  expect_damaged("within its pixels", "P4 9 2\n...");
  expect_damaged("within its pixels", "P3 1 1 255\n1 2 ");
  expect_damaged("too early", "P3 1 1 255\n100 200 ");
  expect_damaged("within its pixels", "P1 3 1\n10");
  expect_damaged("too early", "P1 3 1\n1 0 ");
}

TEST(Pnm, TextThatIsNoLevelIsDamaged) {
  EXPECT_TRUE(status_of("P2 2 1 9\n9 0\n").ok());
  expect_damaged("a level of 10", "P2 2 1 9\n9 10\n");
  expect_damaged("should be", "P2 2 1 9\n9 -1\n");
  expect_damaged("should be", "P2 2 1 9\n9 x \n");
  expect_damaged("should be", "P2 2 1 9\n9 1#\n");
  expect_damaged("a bit", "P1 2 1\n1 2\n");
}

// Cut off behind a digit, "25" may have been "255".
TEST(Pnm, LastNumberMustBeWhole) {
  EXPECT_TRUE(status_of("P2 2 1 255\n1 25\n").ok());
  EXPECT_TRUE(status_of("P2 2 1 255\n1 26").ok());
  expect_damaged("cut off", "P2 2 1 255\n1 25");
  expect_damaged("cut off", "P2 2 1 255\n1 0");
}

}  // namespace
}  // namespace penult
