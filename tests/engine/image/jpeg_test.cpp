#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "engine/image/image.h"
#include "tests/engine/image/test_files.h"

namespace penult {
namespace {

using namespace testing;

StatusCode code_of(const Bytes& file) { return decode_image(file, {}).status().code(); }

int largest_difference(const Image& a, const Image& b) {
  int largest = a.rgb.size() == b.rgb.size() ? 0 : 256;
  for (size_t i = 0; i < std::min(a.rgb.size(), b.rgb.size()); ++i) {
    largest = std::max(largest, std::abs(a.rgb[i] - b.rgb[i]));
  }
  return largest;
}

TEST(Jpeg, IsReadAsRgb) {
  const Image image = test_picture(33, 47);
  for (const bool progressive : {false, true}) {
    for (const bool transform : {false, true}) {
      const Bytes file = encode_jpeg(image, {.progressive = progressive, .transform = transform});
      const Result<Image> decoded = decode_image(file, {});
      ASSERT_TRUE(decoded.ok()) << decoded.status().to_string();
      EXPECT_EQ(decoded->h, 33);
      EXPECT_EQ(decoded->w, 47);
      EXPECT_LE(largest_difference(image, *decoded), 4);  // quality 100 still rounds
    }
  }
}

TEST(Jpeg, GreyIsRepeatedInEachChannel) {
  const Bytes samples = {0, 40, 80, 120, 160, 255};
  const Result<Image> image = decode_image(encode_jpeg(2, 3, samples, {.components = 1}), {});
  ASSERT_TRUE(image.ok());
  for (size_t i = 0; i < samples.size(); ++i) {
    EXPECT_NEAR(image->rgb[3 * i], samples[i], 2);
    EXPECT_EQ(image->rgb[3 * i], image->rgb[3 * i + 1]);
    EXPECT_EQ(image->rgb[3 * i], image->rgb[3 * i + 2]);
  }
}

TEST(Jpeg, ProgressiveEqualsBaseline) {
  const Image image = test_picture(50, 70);
  for (const bool subsampled : {false, true}) {
    const Result<Image> baseline = decode_image(encode_jpeg(image, {.subsampled = subsampled}), {});
    const Result<Image> progressive =
        decode_image(encode_jpeg(image, {.progressive = true, .subsampled = subsampled}), {});
    ASSERT_TRUE(baseline.ok() && progressive.ok());
    EXPECT_EQ(baseline->rgb, progressive->rgb);
  }
}

TEST(Jpeg, OfOtherColoursIsUnsupported) {
  const Bytes samples(2 * 8 * 8, 99);
  EXPECT_EQ(code_of(encode_jpeg(8, 8, samples, {.components = 2})), StatusCode::kImageUnsupported);
}

TEST(Jpeg, OfOtherProcessesIsUnsupported) {
  const Bytes file = encode_jpeg(test_picture(8, 8));
  const size_t frame = find_marker(file, 0xC0);
  Bytes deep = file, lossless = file;
  deep.at(frame + 4) = 12;  // bits a sample
  lossless.at(frame + 1) = 0xC3;
  EXPECT_EQ(code_of(deep), StatusCode::kImageUnsupported);
  EXPECT_EQ(code_of(lossless), StatusCode::kImageUnsupported);
}

// Where libjpeg warns, it makes up what is missing.
TEST(Jpeg, WithWarningsIsDamaged) {
  const Bytes file = encode_jpeg(test_picture(32, 32));
  const size_t pixels = find_marker(file, 0xDA) + 14;
  ASSERT_GT(file.size(), pixels + 200);
  Bytes extra = file;
  extra.insert(extra.end() - 2, 100, uint8_t{0x12});  // before the end marker
  EXPECT_EQ(code_of(extra), StatusCode::kImageCorrupt);
  Bytes early_end = file;
  early_end[pixels + 100] = 0xFF;
  early_end[pixels + 101] = 0xD9;
  EXPECT_EQ(code_of(early_end), StatusCode::kImageCorrupt);
  Bytes wrong_code = file;
  for (size_t i = 0; i < 40; i += 2) {  // ones only, which no code is
    wrong_code[pixels + 100 + i] = 0xFF;
    wrong_code[pixels + 101 + i] = 0;
  }
  EXPECT_EQ(code_of(wrong_code), StatusCode::kImageCorrupt);
}

// A file of `scans` scans: its start, then the end marker.
Bytes first_scans(const Bytes& file, int scans) {
  size_t at = 0;
  for (int i = 0; i < scans; ++i) at = find_marker(file, 0xDA, at + 2);
  const size_t tables_of_next = find_marker(file, 0xC4, at);
  EXPECT_LT(tables_of_next, file.size());
  return with_bytes(Bytes(file.begin(), file.begin() + tables_of_next), Bytes{0xFF, 0xD9});
}

TEST(Jpeg, LimitsTheNumberOfScans) {
  const Bytes many = encode_jpeg(test_picture(16, 16), {.progressive = true, .scans = "many"});
  const Status status = decode_image(many, {}).status();
  EXPECT_EQ(status.code(), StatusCode::kLimitExceeded) << status.to_string();
  EXPECT_EQ(code_of(first_scans(many, 501)), StatusCode::kLimitExceeded);
  EXPECT_EQ(code_of(first_scans(many, 500)), StatusCode::kOk);
}

// libjpeg decodes such files without a warning: colours, or everything, would be zeros.
TEST(Jpeg, WithoutAScanForAComponentIsDamaged) {
  for (const bool progressive : {false, true}) {
    const Bytes file =
        encode_jpeg(test_picture(40, 40), {.progressive = progressive, .scans = "one"});
    ASSERT_EQ(code_of(file), StatusCode::kOk);
    for (const int scans : {1, 2}) {
      EXPECT_EQ(code_of(first_scans(file, scans)), StatusCode::kImageCorrupt)
          << (progressive ? "progressive " : "baseline ") << scans;
    }
  }
}

// Errors leave libjpeg by longjmp: nothing may leak, and the next file must not notice.
TEST(Jpeg, DamageLeavesNoTrace) {
  const Bytes file = encode_jpeg(test_picture(24, 24), {.progressive = true, .subsampled = true});
  const Result<Image> before = decode_image(file, {});
  int refused = 0;
  for (size_t i = 2; i < file.size(); ++i) {
    Bytes damaged = file;
    damaged[i] = static_cast<uint8_t>(damaged[i] ^ 0xA5);
    refused += decode_image(damaged, {.max_pixels = 1'000'000}).ok() ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
  const Result<Image> after = decode_image(file, {});
  ASSERT_TRUE(before.ok() && after.ok());
  EXPECT_EQ(before->rgb, after->rgb);
}

}  // namespace
}  // namespace penult
