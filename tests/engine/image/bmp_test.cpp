#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/image/image.h"
#include "tests/engine/image/test_files.h"

namespace penult {
namespace {

using namespace testing;
using ::testing::HasSubstr;

Status status_of(const BmpKind& kind, const Bytes& colors, const Bytes& pixels) {
  return decode_image(bmp_of(kind, colors, pixels), {}).status();
}

void expect(StatusCode code, const char* reason, const Status& status) {
  EXPECT_EQ(status.code(), code) << reason << ": " << status.to_string();
  EXPECT_THAT(status.message(), HasSubstr(reason));
}

TEST(Bmp, RowsComeFromTheBottomOrFromTheTop) {
  const Image image = test_picture(3, 4);
  const Bytes from_bottom = encode_bmp(image);
  Bytes pixels(from_bottom.begin() + 54, from_bottom.end());
  Image flipped = image;
  for (int y = 0; y < 3; ++y) {
    std::copy_n(image.rgb.begin() + 12 * y, 12, flipped.rgb.begin() + 12 * (2 - y));
  }
  const Result<Image> a = decode_image(from_bottom, {});
  const Result<Image> b = decode_image(bmp_of({.h = -3, .w = 4}, {}, pixels), {});
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->rgb, image.rgb);
  EXPECT_EQ(b->rgb, flipped.rgb);
}

TEST(Bmp, OfOtherKindsIsUnsupported) {
  const Bytes bytes(2000, 1);
  const auto code = StatusCode::kImageUnsupported;
  expect(code, "of 2 bits", status_of({.h = 4, .w = 4, .bits = 2}, {}, bytes));
  expect(code, "of 64 bits", status_of({.h = 4, .w = 4, .bits = 64}, {}, bytes));
  expect(code, "header of 16 bytes",
         status_of({.h = 4, .w = 4, .header_bytes = 16}, Bytes(24), bytes));
  for (const uint32_t method : {4, 5, 6, 11}) {  // JPEG, PNG, masks with alpha, CMYK
    expect(code, "compressed by method", status_of({.h = 4, .w = 4, .method = method}, {}, bytes));
  }
  expect(code, "compressed by method 1",
         status_of({.h = 4, .w = 4, .bits = 24, .method = 1}, {}, bytes));
  expect(code, "compressed by method 2",
         status_of({.h = 4, .w = 4, .bits = 8, .method = 2}, {}, bytes));
  expect(code, "compressed by method 3",
         status_of({.h = 4, .w = 4, .bits = 8, .method = 3}, {}, bytes));
}

TEST(Bmp, WithUnusualMasksIsUnsupported) {
  const auto masks = [](std::initializer_list<uint32_t> values) {
    Bytes bytes;
    for (const uint32_t value : values) {
      for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<uint8_t>(value >> 8 * i));
    }
    return bytes;
  };
  const auto status = [&](uint16_t bits, std::initializer_list<uint32_t> values) {
    return status_of({.h = 2, .w = 2, .bits = bits, .method = 3}, masks(values), Bytes(16));
  };
  EXPECT_TRUE(status(32, {0xFF0000, 0xFF00, 0xFF}).ok());
  EXPECT_TRUE(status(16, {0xF800, 0x7E0, 0x1F}).ok());
  const auto code = StatusCode::kImageUnsupported;
  expect(code, "unusual", status(32, {0x3FF00000, 0xFFC00, 0x3FF}));  // ten bits each
  expect(code, "unusual", status(32, {0, 0xFF00, 0xFF}));
  expect(code, "unusual", status(24, {0xFF000000, 0xFF00, 0xFF}));  // outside of the pixel
  expect(code, "unusual", status(32, {0xFF00FF, 0xFF00, 0xFF}));    // with a hole
  expect(code, "unusual", status(16, {0xF00, 0xF0, 0xF}));
  expect(code, "unusual", status(16, {0, 0, 0}));
}

TEST(Bmp, WithoutAllItsPixelsIsDamaged) {
  const auto code = StatusCode::kImageCorrupt;
  const Bytes pixels(2 * 8);  // two rows of 6 bytes and 2 that fill them up
  EXPECT_TRUE(status_of({.h = 2, .w = 2}, {}, pixels).ok());
  EXPECT_TRUE(status_of({.h = 2, .w = 2}, {}, Bytes(14)).ok());  // nobody needs the last two
  expect(code, "within its pixels", status_of({.h = 2, .w = 2}, {}, Bytes(13)));
  expect(code, "within its pixels", status_of({.h = 2, .w = 2, .offset = 55 + 2}, {}, pixels));
  expect(code, "within its pixels", status_of({.h = 2, .w = 2, .offset = 0xFFFFFFFF}, {}, pixels));
  expect(code, "palette of 257",
         status_of({.h = 2, .w = 2, .bits = 8, .colors = 257}, Bytes(257 * 4), pixels));
  expect(code, "palette of", status_of({.h = 2, .w = 2, .bits = 8, .colors = ~0u}, {}, pixels));
}

// 8 bits a pixel, 4 wide.
Status runs(int32_t h, const Bytes& codes) {
  return status_of({.h = h, .w = 4, .bits = 8, .method = 1}, Bytes(1024), codes);
}

TEST(Bmp, RunsThatDoNotFillThePictureAreDamaged) {
  const auto code = StatusCode::kImageCorrupt;
  EXPECT_TRUE(runs(2, {4, 1, 0, 0, 4, 2, 0, 1}).ok());
  EXPECT_TRUE(runs(2, {4, 1, 0, 0, 4, 2}).ok());  // all pixels are there
  EXPECT_TRUE(runs(3, {4, 1, 0, 0, 0, 2, 3, 1, 1, 1, 0, 1}).ok());
  expect(code, "last rows are missing", runs(2, {4, 1, 0, 0, 0, 1}));
  expect(code, "within its pixels", runs(2, {4, 1, 0, 0, 4}));
  expect(code, "within its pixels", runs(2, {4, 1, 0}));
  expect(code, "within its pixels", runs(2, {0, 4, 1, 2, 3}));
  expect(code, "within its pixels", runs(2, {0, 2, 1}));
  expect(code, "behind the end of a row", runs(2, {0, 5, 1, 2, 3, 4, 5, 0}));
  expect(code, "behind the end of a row", runs(2, {2, 1, 0, 3, 2, 3, 4, 0}));
  expect(code, "without pixels", runs(2, {0, 0, 4, 1}));
  // A row that never ends takes no more pixels.
  expect(code, "within its pixels", runs(2, {4, 1, 4, 1, 4, 1, 4, 1}));
}

TEST(Bmp, RunsJumpNoFurtherThanTheEnd) {
  EXPECT_TRUE(runs(2, {4, 1, 0, 2, 255, 255}).ok());
  EXPECT_TRUE(runs(2, {0, 2, 255, 255}).ok());
}

// Copied pixels are filled up to two bytes, counted from the first code.
TEST(Bmp, RunsMayStartAtAnOddByte) {
  const Bytes codes = {0, 3, 1, 2, 3, 0, 1, 4, 0, 0, 4, 2};
  Bytes colors(1024);
  for (size_t i = 0; i < colors.size(); ++i) colors[i] = static_cast<uint8_t>(i);
  const BmpKind kind{.h = 2, .w = 4, .bits = 8, .method = 1};
  BmpKind odd = kind;
  odd.offset = 54 + 1024 + 1;
  const Result<Image> a = decode_image(bmp_of(kind, colors, codes), {});
  const Result<Image> b = decode_image(bmp_of(odd, colors, with_bytes({0}, codes)), {});
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->rgb, b->rgb);
}

}  // namespace
}  // namespace penult
