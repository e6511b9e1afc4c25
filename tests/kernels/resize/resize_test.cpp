#include "kernels/resize/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "engine/base/digest.h"

namespace penult::kernels {
namespace {

// A hash with full avalanche (C. Wellons' lowbias32), as tools/make_pillow_golden.py has it.
uint32_t mix(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7FEB352Du;
  x = (x ^ (x >> 15)) * 0x846CA68Bu;
  return x ^ (x >> 16);
}

uint8_t pixel(const std::string& content, uint32_t seed, int64_t y, int64_t x, int64_t c,
              int64_t w) {
  if (content == "checker") {
    const int64_t period = 1 + seed % 5;
    return (y / period + x / period + c) % 2 != 0 ? 255 : 0;
  }
  if (content == "smooth") {
    const int64_t wave = (x * (1 + seed % 7) + y * (1 + seed / 7 % 5) + 85 * c) % 510;
    return static_cast<uint8_t>(wave < 256 ? wave : 510 - wave);
  }
  const uint32_t hashed = mix(static_cast<uint32_t>((y * w + x) * 3 + c) + seed);
  if (content == "extreme") return hashed >> 31 != 0 ? 255 : 0;
  return static_cast<uint8_t>(hashed >> 24);
}

std::vector<uint8_t> picture(const std::string& content, uint32_t seed, int64_t h, int64_t w) {
  std::vector<uint8_t> rgb;
  for (int64_t y = 0; y < h; ++y) {
    for (int64_t x = 0; x < w; ++x) {
      for (int64_t c = 0; c < 3; ++c) rgb.push_back(pixel(content, seed, y, x, c, w));
    }
  }
  return rgb;
}

struct Case {
  std::string filter = {}, content = {}, sha256 = {};
  uint32_t seed = 0;
  int64_t sh = 0, sw = 0, dh = 0, dw = 0;
};

std::vector<Case> golden() {
  std::ifstream file(PENULT_GOLDEN_DIR "/pillow_resize.txt");
  std::vector<Case> cases;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    Case c;
    words >> c.filter >> c.content >> c.seed >> c.sh >> c.sw >> c.dh >> c.dw >> c.sha256;
    EXPECT_TRUE(words) << line;
    cases.push_back(c);
  }
  return cases;
}

std::vector<uint8_t> resize(const std::vector<uint8_t>& src, const Case& c) {
  std::vector<uint8_t> dst(c.dh * c.dw * 3);
  resize_rgb8(src.data(), c.sh, c.sw, dst.data(), c.dh, c.dw,
              c.filter == "bilinear" ? ResizeFilter::kBilinear : ResizeFilter::kBicubic);
  return dst;
}

TEST(Resize, EqualsPillowBitForBit) {
  const std::vector<Case> cases = golden();
  std::set<std::string> filters, contents, sizes;
  for (const Case& c : cases) {
    const std::vector<uint8_t> dst = resize(picture(c.content, c.seed, c.sh, c.sw), c);
    Sha256 sha256;
    sha256.update(dst);
    EXPECT_EQ(sha256.hex_digest(), c.sha256)
        << c.filter << " " << c.content << " seed " << c.seed << ": " << c.sw << "x" << c.sh
        << " -> " << c.dw << "x" << c.dh;
    filters.insert(c.filter);
    contents.insert(c.content);
    sizes.insert(std::to_string(c.sh) + " " + std::to_string(c.sw) + " " + std::to_string(c.dh) +
                 " " + std::to_string(c.dw));
  }
  EXPECT_THAT(filters, ::testing::ElementsAre("bicubic", "bilinear"));
  EXPECT_THAT(contents, ::testing::ElementsAre("checker", "extreme", "noise", "smooth"));
  EXPECT_GE(sizes.size(), 200u);
}

// Each side alone: what a mistake in only one of the two passes looks like.
TEST(Resize, OfOneRowOrColumnIsTheSameInBothDirections) {
  for (const char* filter : {"bilinear", "bicubic"}) {
    for (const int64_t from : {2, 17, 301}) {
      for (const int64_t to : {1, 16, 18, 700}) {
        const std::vector<uint8_t> line = picture("extreme", 7, 1, from);
        const std::vector<uint8_t> row =
            resize(line, {.filter = filter, .sh = 1, .sw = from, .dh = 1, .dw = to});
        const std::vector<uint8_t> column =
            resize(line, {.filter = filter, .sh = from, .sw = 1, .dh = to, .dw = 1});
        EXPECT_EQ(row, column) << filter << " " << from << " -> " << to;
      }
    }
  }
}

TEST(Resize, KeepsAFlatPictureFlat) {
  for (const uint8_t value : std::vector<uint8_t>{0, 1, 127, 254, 255}) {
    for (const char* filter : {"bilinear", "bicubic"}) {
      const Case c{.filter = filter, .sh = 37, .sw = 23, .dh = 11, .dw = 64};
      const std::vector<uint8_t> src(c.sh * c.sw * 3, value);
      EXPECT_EQ(resize(src, c), std::vector<uint8_t>(c.dh * c.dw * 3, value)) << filter;
    }
  }
}

// Dark and light bars side by side: bicubic overshoots on both sides and must not wrap.
TEST(Resize, ClipsBicubicOvershoot) {
  const Case c{.filter = "bicubic", .sh = 1, .sw = 4, .dh = 1, .dw = 40};
  const std::vector<uint8_t> dst = resize({0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255}, c);
  EXPECT_TRUE(std::is_sorted(dst.begin() + 3 * 15, dst.begin() + 3 * 25));
  EXPECT_EQ(std::count(dst.begin(), dst.begin() + 3 * 15, 0), 3 * 15);
  EXPECT_EQ(std::count(dst.begin() + 3 * 25, dst.end(), 255), 3 * 15);
}

}  // namespace
}  // namespace penult::kernels
