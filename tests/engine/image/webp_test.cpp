#include <gtest/gtest.h>

#include "engine/image/image.h"
#include "tests/engine/image/test_files.h"

namespace penult {
namespace {

using namespace testing;

StatusCode code_of(const Bytes& file) { return decode_image(file, {}).status().code(); }

constexpr size_t kExtended = 12, kPicture = 30;  // where the first two chunks are

TEST(WebP, LosslessPixelsAreReadAsTheyAre) {
  for (const int64_t h : {1, 2, 33}) {
    for (const int64_t w : {1, 3, 47}) {
      const Image image = test_picture(h, w);
      const Result<Image> decoded = decode_image(encode_webp(image), {});
      ASSERT_TRUE(decoded.ok()) << decoded.status().to_string();
      EXPECT_EQ(decoded->h, h);
      EXPECT_EQ(decoded->w, w);
      EXPECT_EQ(decoded->rgb, image.rgb);
    }
  }
}

TEST(WebP, WhosePartsDoNotFitIsDamaged) {
  const Bytes file = encode_webp(test_picture(8, 8));
  ASSERT_EQ(code_of(file), StatusCode::kOk);
  Bytes canvas = file, kind = file, first = file, empty(file.begin(), file.begin() + kPicture);
  canvas[kExtended + 8 + 4] = 8;  // 9 pixels wide, the picture 8
  kind[kPicture + 3] = ' ';       // a lossless picture said to be lossy
  first[kExtended + 3] = '9';
  empty[4] = kPicture - 8, empty[5] = 0;
  EXPECT_EQ(code_of(canvas), StatusCode::kImageCorrupt);
  EXPECT_EQ(code_of(kind), StatusCode::kImageCorrupt);
  EXPECT_EQ(code_of(first), StatusCode::kImageCorrupt);
  EXPECT_EQ(code_of(empty), StatusCode::kImageCorrupt);
}

TEST(WebP, SaidToBeShorterThanItIsIsDamaged) {
  const Bytes file = encode_webp(test_picture(8, 8));
  for (size_t less = 2; less < file.size() - 8; less += 2) {
    Bytes shorter = file;
    const size_t size = file.size() - 8 - less;
    for (int i = 0; i < 4; ++i) shorter[4 + i] = static_cast<uint8_t>(size >> 8 * i);
    EXPECT_EQ(code_of(shorter), StatusCode::kImageCorrupt) << less;
  }
}

// The kind of file that comes nearest to the limit on pixels for each byte.
TEST(WebP, OfOneColourIsRead) {
  const Image plain{.h = 1000, .w = 1000, .rgb = Bytes(3'000'000, 200)};
  const Bytes file = encode_webp(plain);
  EXPECT_LT(file.size(), 200u);
  EXPECT_EQ(code_of(file), StatusCode::kOk);
}

}  // namespace
}  // namespace penult
