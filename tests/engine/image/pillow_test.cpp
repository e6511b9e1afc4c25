// Small pictures of every kind that is read, against their pixels in Pillow
// (tools/make_image_golden.py).

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "engine/image/image.h"
#include "engine/output/npz_reader.h"
#include "tests/engine/image/test_files.h"

namespace penult {
namespace {

using namespace testing;

struct Picture {
  Bytes file;
  Image pixels;
};

// By name, such as "png_grey_2_interlaced".
const std::map<std::string, Picture>& pictures() {
  static const auto all = [] {
    std::map<std::string, Picture> read;
    const auto arrays = read_npz(PENULT_GOLDEN_DIR "/pillow_images.npz");
    EXPECT_TRUE(arrays.ok()) << arrays.status().to_string();
    for (const auto& [key, array] : *arrays) {
      const size_t slash = key.find('/');
      Picture& picture = read[key.substr(slash + 1)];
      const auto bytes = array.values<uint8_t>();
      EXPECT_TRUE(bytes.ok()) << key;
      if (key.starts_with("file/")) {
        picture.file = *bytes;
      } else {
        picture.pixels = {.h = array.dims[0], .w = array.dims[1], .rgb = *bytes};
      }
    }
    return read;
  }();
  return all;
}

std::string first_difference(const Image& got, const Image& want) {
  const auto [a, b] = std::mismatch(got.rgb.begin(), got.rgb.end(), want.rgb.begin());
  if (a == got.rgb.end()) return "none";
  const int64_t at = a - got.rgb.begin();
  return "channel " + std::to_string(at % 3) + " at x " + std::to_string(at / 3 % got.w) + ", y " +
         std::to_string(at / 3 / got.w) + ": got " + std::to_string(*a) + ", Pillow has " +
         std::to_string(*b);
}

// Everything but what the name of a golden says before its first underscore.
std::map<std::string, int> kinds() {
  std::map<std::string, int> count;
  for (const auto& [name, picture] : pictures()) ++count[name.substr(0, name.find('_'))];
  return count;
}

TEST(Pillow, GoldensAreOfEveryKind) {
  for (const char* kind : {"jpeg", "png", "apng", "webp", "bmp", "pbm", "pgm", "ppm", "exif"}) {
    EXPECT_GT(kinds()[kind], 2) << kind;
  }
}

TEST(Pillow, HasTheSamePixels) {
  for (const auto& [name, picture] : pictures()) {
    int announced = 0;
    const DecodeOptions options{.before_pixels = [&](uint64_t) { ++announced; }};
    const Result<Image> image = decode_image(picture.file, options);
    EXPECT_EQ(announced, 1) << name;
    EXPECT_TRUE(image.ok()) << name << ": " << image.status().to_string();
    if (!image.ok()) continue;
    EXPECT_EQ(image->h, picture.pixels.h) << name;
    EXPECT_EQ(image->w, picture.pixels.w) << name;
    if (image->rgb.size() != picture.pixels.rgb.size()) continue;
    EXPECT_EQ(first_difference(*image, picture.pixels), "none") << name;
  }
}

// Whatever is cut off: the file is refused, or nothing of the picture was missing.
TEST(Pillow, ACutFileNeverGivesOtherPixels) {
  constexpr size_t kSmall = 1'000;
  for (const auto& [name, picture] : pictures()) {
    if (picture.file.size() > kSmall) continue;
    for (size_t size = 0; size < picture.file.size(); ++size) {
      // A copy of its own, so that AddressSanitizer sees the end.
      const Bytes cut(picture.file.begin(), picture.file.begin() + size);
      const Result<Image> image = decode_image(cut, {});
      if (image.ok()) {
        EXPECT_EQ(image->rgb, picture.pixels.rgb) << name << " cut at " << size;
        EXPECT_EQ(image->w, picture.pixels.w) << name << " cut at " << size;
      } else {
        EXPECT_EQ(image.status().code(), StatusCode::kImageCorrupt)
            << name << " cut at " << size << ": " << image.status().to_string();
      }
    }
  }
}

TEST(Pillow, WhatFollowsThePictureIsIgnored) {
  for (const auto& [name, picture] : pictures()) {
    for (const Bytes& tail : {Bytes{0}, Bytes(100, 'x')}) {
      const Result<Image> image = decode_image(with_bytes(picture.file, tail), {});
      EXPECT_TRUE(image.ok()) << name << ": " << image.status().to_string();
      if (!image.ok()) continue;
      EXPECT_EQ(image->rgb, picture.pixels.rgb) << name;
    }
  }
}

// No crash, no endless loop, no endless memory.
TEST(Pillow, ADamagedByteIsSurvived) {
  constexpr size_t kSmall = 1'500;
  int refused = 0;
  for (const auto& [name, picture] : pictures()) {
    if (picture.file.size() > kSmall) continue;
    for (size_t i = 0; i < picture.file.size(); ++i) {
      Bytes damaged = picture.file;
      damaged[i] = static_cast<uint8_t>(damaged[i] ^ (0x81 + 2 * i % 0x7F));
      const Result<Image> image = decode_image(damaged, {.max_pixels = 1'000'000});
      refused += image.ok() ? 0 : 1;
      if (!image.ok()) continue;
      EXPECT_EQ(image->rgb.size(), size_t(image->h * image->w * 3)) << name;
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace penult
