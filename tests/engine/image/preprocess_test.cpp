#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "engine/base/digest.h"
#include "engine/image/image.h"
#include "tests/engine/image/test_files.h"
#include "tests/support/environment.h"

namespace penult {
namespace {

using namespace testing;

Image crop_of(const Image& image, const Preprocess& preprocess) {
  const Result<Image> crop = resize_and_crop(image, preprocess);
  EXPECT_TRUE(crop.ok()) << crop.status().to_string();
  return crop.ok() ? *crop : Image{};
}

Preprocess sizes(int32_t resize, int32_t crop_h, int32_t crop_w) {
  Preprocess preprocess;
  preprocess.resize = resize;
  preprocess.crop_h = crop_h;
  preprocess.crop_w = crop_w;
  return preprocess;
}

// The whole picture resized and then cut, as torchvision does it.
Bytes cut_from_whole(const Image& image, const Preprocess& p) {
  const bool squash = p.resize_mode == Preprocess::ResizeMode::kSquash;
  const int64_t shorter = std::min(image.h, image.w);
  const int64_t h = squash ? p.resize : p.resize * image.h / shorter;
  const int64_t w = squash ? p.resize : p.resize * image.w / shorter;
  const Result<Image> whole = resize_image(image, h, w, p.filter);
  EXPECT_TRUE(whole.ok());
  // Python's int(round((have - want) / 2.0)), and (want - have) // 2 in front of a small picture.
  const auto begin_of = [](int64_t have, int64_t want) {
    const int64_t rest = have - want;
    if (rest < 0) return -(-rest / 2);
    return rest % 4 == 3 ? rest / 2 + 1 : rest / 2;
  };
  const int64_t top = begin_of(h, p.crop_h), left = begin_of(w, p.crop_w);
  Bytes crop;
  for (int64_t y = top; y < top + p.crop_h; ++y) {
    for (int64_t x = left; x < left + p.crop_w; ++x) {
      const bool inside = y >= 0 && y < h && x >= 0 && x < w;
      for (int64_t c = 0; c < 3; ++c) {
        crop.push_back(inside ? whole->rgb[(y * w + x) * 3 + c] : uint8_t{0});
      }
    }
  }
  return crop;
}

// Each pixel says where it is.
Image coordinates(int64_t h, int64_t w) {
  Image image{.h = h, .w = w, .rgb = {}};
  for (int64_t y = 0; y < h; ++y) {
    for (int64_t x = 0; x < w; ++x) {
      image.rgb.insert(image.rgb.end(), {static_cast<uint8_t>(y), static_cast<uint8_t>(x), 255});
    }
  }
  return image;
}

// The long side is int(size * long / short): torchvision rounds down.
TEST(ResizeAndCrop, KeepsTheAspectRatioAsTorchvisionRoundsIt) {
  const struct {
    int64_t h, w, long_side;
  } cases[] = {{427, 640, 383}, {640, 427, 383},  {300, 451, 384}, {375, 500, 341},
               {333, 500, 384}, {1000, 872, 293}, {512, 512, 256}, {257, 256, 257},
               {3, 7, 597},     {7, 3, 597},      {299, 300, 256}, {1, 1, 256}};
  for (const auto& c : cases) {
    const Image white{.h = c.h, .w = c.w, .rgb = Bytes(c.h * c.w * 3, 255)};
    const Image crop = crop_of(white, sizes(256, 700, 700));  // with zeros around
    EXPECT_EQ(crop.rgb.size(), 700u * 700 * 3);
    EXPECT_EQ(std::count(crop.rgb.begin(), crop.rgb.end(), 255) / 3, 256 * c.long_side)
        << c.w << "x" << c.h;
  }
}

// int(round((have - want) / 2.0)), where Python rounds half to even.
TEST(ResizeAndCrop, CropsInTheMiddleAndRoundsHalfToEven) {
  const struct {
    int64_t have;
    int first;
  } cases[] = {{10, 0}, {11, 0}, {12, 1}, {13, 2}, {14, 2}, {15, 2}, {16, 3}, {17, 4}};
  for (const auto& c : cases) {
    const Image wide = crop_of(coordinates(10, c.have), sizes(10, 10, 10));
    EXPECT_EQ(wide.rgb[0], 0);
    EXPECT_EQ(wide.rgb[1], c.first) << c.have;
    const Image tall = crop_of(coordinates(c.have, 10), sizes(10, 10, 10));
    EXPECT_EQ(tall.rgb[0], c.first) << c.have;
    EXPECT_EQ(tall.rgb[1], 0);
  }
}

// torchvision pads with zeros: (want - have) // 2 at the left and the top, the rest behind.
TEST(ResizeAndCrop, PadsAPictureThatIsSmallerThanTheCrop) {
  const Image crop = crop_of(coordinates(4, 5), sizes(4, 7, 8));
  ASSERT_EQ(crop.rgb.size(), 7u * 8 * 3);
  for (int64_t y = 0; y < 7; ++y) {
    for (int64_t x = 0; x < 8; ++x) {
      const bool inside = y >= 1 && y < 5 && x >= 1 && x < 6;
      const uint8_t* pixel = &crop.rgb[(y * 8 + x) * 3];
      EXPECT_EQ(pixel[0], inside ? y - 1 : 0) << y << " " << x;
      EXPECT_EQ(pixel[1], inside ? x - 1 : 0) << y << " " << x;
      EXPECT_EQ(pixel[2], inside ? 255 : 0) << y << " " << x;
    }
  }
}

TEST(ResizeAndCrop, PadsOneSideAndCropsTheOther) {
  const Image crop = crop_of(coordinates(4, 11), sizes(4, 6, 6));
  ASSERT_EQ(crop.rgb.size(), 6u * 6 * 3);
  EXPECT_EQ(crop.rgb[0 * 18 + 2], 0);    // a row of padding
  EXPECT_EQ(crop.rgb[1 * 18 + 2], 255);  // the first row
  EXPECT_EQ(crop.rgb[1 * 18 + 1], 2);    // round(2.5)
  EXPECT_EQ(crop.rgb[4 * 18 + 0], 3);    // the last row
  EXPECT_EQ(crop.rgb[5 * 18 + 2], 0);
}

TEST(ResizeAndCrop, SquashesBothSides) {
  const Image image = test_picture(30, 70);
  Preprocess preprocess = sizes(16, 16, 16);
  preprocess.resize_mode = Preprocess::ResizeMode::kSquash;
  for (const auto filter : {Preprocess::Filter::kBilinear, Preprocess::Filter::kBicubic}) {
    preprocess.filter = filter;
    const Result<Image> whole = resize_image(image, 16, 16, filter);
    ASSERT_TRUE(whole.ok());
    EXPECT_EQ(crop_of(image, preprocess).rgb, whole->rgb);
  }
}

// The whole would have 25.6 million pixels, and 6.5 billion.
TEST(ResizeAndCrop, OfAThinPictureResizesOnlyTheCrop) {
  for (const auto mode : {Preprocess::ResizeMode::kShortSide, Preprocess::ResizeMode::kSquash}) {
    for (const int32_t resize : {256, 4096}) {
      for (const bool tall : {false, true}) {
        const int64_t h = tall ? 100'000 : 1, w = tall ? 1 : 100'000;
        const Image thin{.h = h, .w = w, .rgb = Bytes(h * w * 3, 9)};
        Preprocess preprocess = sizes(resize, 224, 224);
        preprocess.resize_mode = mode;
        EXPECT_EQ(crop_of(thin, preprocess).rgb, Bytes(224 * 224 * 3, 9));
      }
    }
  }
}

TEST(ResizeAndCrop, RefusesWhatWouldBeHuge) {
  const Image pixel{.h = 1, .w = 1, .rgb = {1, 2, 3}};
  const Status crop = resize_and_crop(pixel, sizes(1, 100'000, 100'000)).status();
  EXPECT_EQ(crop.code(), StatusCode::kLimitExceeded);
  EXPECT_THAT(crop.message(), ::testing::HasSubstr("100000x100000"));
  const Status whole = resize_image(pixel, 1, 200'000'000, Preprocess::Filter::kBilinear).status();
  EXPECT_EQ(whole.code(), StatusCode::kLimitExceeded);
  EXPECT_THAT(whole.message(), ::testing::HasSubstr("200000000x1"));
}

std::vector<Preprocess> many_crops() {
  std::vector<Preprocess> all;
  for (const int32_t resize : {1, 8, 20, 64}) {
    for (const int32_t crop_h : {1, 7, 20, 64}) {
      for (const int32_t crop_w : {2, 9, 20, 64}) {
        Preprocess p = sizes(resize, crop_h, crop_w);
        if (crop_h % 2 != 0) p.filter = Preprocess::Filter::kBicubic;
        all.push_back(p);
        p.resize_mode = Preprocess::ResizeMode::kSquash;
        all.push_back(p);
      }
    }
  }
  return all;
}

// Against the whole picture, cut here: crops of every parity, larger and smaller than the picture.
TEST(ResizeAndCrop, IsTheMiddleOfTheResizedPicture) {
  const struct {
    int64_t h, w;
  } pictures[] = {{1, 1}, {1, 9}, {9, 1}, {20, 31}, {31, 20}, {64, 64}, {150, 11}, {11, 150}};
  CropScratch scratch;
  for (const auto& picture : pictures) {
    const Image image = test_picture(picture.h, picture.w);
    for (const Preprocess& p : many_crops()) {
      Bytes crop(p.crop_h * p.crop_w * 3, 77);
      ASSERT_TRUE(resize_and_crop(image, p, crop, scratch).ok());
      ASSERT_EQ(crop, cut_from_whole(image, p))
          << picture.w << "x" << picture.h << " resized to " << p.resize << ", crop " << p.crop_w
          << "x" << p.crop_h;
    }
  }
}

TEST(ResizeAndCrop, HasTheSameBitsAtEveryLevel) {
  for (const auto filter : {Preprocess::Filter::kBilinear, Preprocess::Filter::kBicubic}) {
    Preprocess preprocess;
    preprocess.filter = filter;
    const Image image = test_picture(375, 500);
    const Bytes want = cut_from_whole(image, preprocess);
    for (const Isa isa : all_isas()) {
      if (!is_supported(isa)) continue;
      const ScopedIsa scoped(isa);
      EXPECT_EQ(crop_of(image, preprocess).rgb, want) << isa_name(isa);
    }
  }
}

TEST(ResizeAndCrop, RefusesALevelThatDoesNotExist) {
  const ScopedVariable level("PENULT_ISA_MAX", "avx3");
  EXPECT_EQ(resize_and_crop(test_picture(4, 4), {}).status().code(), StatusCode::kInvalidArgument);
}

// All 256 values with torchvision's mean and std, as NumPy's float32 computes (x / 255 - mean) /
// std. With x * (1 / 255), 322 of the 768 differ; with * (1 / std), 230.
TEST(Normalize, EqualsFloat32InTorchvisionsOrderBitForBit) {
  Image image{.h = 1, .w = 256, .rgb = {}};
  for (int i = 0; i < 256; ++i) image.rgb.insert(image.rgb.end(), 3, static_cast<uint8_t>(i));
  std::vector<float> values(3 * 256);
  normalize_to_chw(image, {}, values);
  EXPECT_EQ(values[0 * 256 + 0], -0x1.0f177a0000000p+1f);
  EXPECT_EQ(values[0 * 256 + 255], 0x1.1fdc3a0000000p+1f);
  EXPECT_EQ(values[1 * 256 + 100], -0x1.23dab40000000p-2f);
  EXPECT_EQ(values[1 * 256 + 128], 0x1.a436900000000p-3f);
  EXPECT_EQ(values[2 * 256 + 1], -0x1.c979d40000000p+0f);
  EXPECT_EQ(values[2 * 256 + 254], 0x1.4fb0680000000p+1f);
  static_assert(std::endian::native == std::endian::little);
  Bytes bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  Sha256 sha256;
  sha256.update(bytes);
  EXPECT_EQ(sha256.hex_digest(),
            "1d8b9af12b7b391827f7c801265239e21435c7e29b4d78c6189a35e437633897");
}

TEST(Normalize, PutsChannelsIntoPlanesInTheOrderAskedFor) {
  const Image image{.h = 1, .w = 2, .rgb = {10, 20, 30, 40, 50, 60}};
  Preprocess preprocess;
  preprocess.mean = {0, 0, 0};
  preprocess.std = {1.0f / 255, 2.0f / 255, 4.0f / 255};
  const auto planes = [&] {
    std::vector<float> values(6);
    normalize_to_chw(image, preprocess, values);
    return values;
  };
  using ::testing::FloatEq, ::testing::Pointwise;
  EXPECT_THAT(planes(), Pointwise(FloatEq(), std::vector<float>{10, 40, 10, 25, 7.5f, 15}));
  preprocess.channel_order = Preprocess::ChannelOrder::kBgr;  // mean and std stand in plane order
  EXPECT_THAT(planes(), Pointwise(FloatEq(), std::vector<float>{30, 60, 10, 25, 2.5f, 10}));
}

}  // namespace
}  // namespace penult
