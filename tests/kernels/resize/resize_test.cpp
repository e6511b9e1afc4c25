#include "kernels/resize/resize.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "engine/base/digest.h"
#include "tests/kernels/guarded_buffer.h"

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

ResizeFilter filter_of(const Case& c) {
  return c.filter == "bilinear" ? ResizeFilter::kBilinear : ResizeFilter::kBicubic;
}

// The window of the resized picture that a job asks for.
ResizeJob whole(const std::vector<uint8_t>& src, const Case& c) {
  return {.src = src.data(),
          .sh = c.sh,
          .sw = c.sw,
          .dh = c.dh,
          .dw = c.dw,
          .filter = filter_of(c),
          .y = 0,
          .x = 0,
          .h = c.dh,
          .w = c.dw};
}

std::vector<uint8_t> resize(Isa isa, const ResizeJob& job) {
  std::vector<uint8_t> dst(job.h * job.w * 3, 77);
  ResizeScratch scratch;
  resize_rgb8(isa, job, dst.data(), job.w * 3, scratch);
  return dst;
}

class Resize : public ::testing::TestWithParam<Isa> {
 protected:
  void SetUp() override {
    if (!is_supported(GetParam())) GTEST_SKIP() << "this machine lacks the level";
  }

  static std::vector<uint8_t> resize_whole(const std::vector<uint8_t>& src, const Case& c) {
    return resize(GetParam(), whole(src, c));
  }
};

INSTANTIATE_TEST_SUITE_P(Levels, Resize, ::testing::ValuesIn(all_isas().begin(), all_isas().end()),
                         [](const auto& test) { return std::string(isa_name(test.param)); });

TEST_P(Resize, EqualsPillowBitForBit) {
  const std::vector<Case> cases = golden();
  std::set<std::string> filters, contents, sizes;
  for (const Case& c : cases) {
    const std::vector<uint8_t> dst = resize_whole(picture(c.content, c.seed, c.sh, c.sw), c);
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
TEST_P(Resize, OfOneRowOrColumnIsTheSameInBothDirections) {
  for (const char* filter : {"bilinear", "bicubic"}) {
    for (const int64_t from : {2, 17, 301}) {
      for (const int64_t to : {1, 16, 18, 700}) {
        const std::vector<uint8_t> line = picture("extreme", 7, 1, from);
        const std::vector<uint8_t> row =
            resize_whole(line, {.filter = filter, .sh = 1, .sw = from, .dh = 1, .dw = to});
        const std::vector<uint8_t> column =
            resize_whole(line, {.filter = filter, .sh = from, .sw = 1, .dh = to, .dw = 1});
        EXPECT_EQ(row, column) << filter << " " << from << " -> " << to;
      }
    }
  }
}

TEST_P(Resize, KeepsAFlatPictureFlat) {
  for (const uint8_t value : std::vector<uint8_t>{0, 1, 127, 254, 255}) {
    for (const char* filter : {"bilinear", "bicubic"}) {
      const Case c{.filter = filter, .sh = 37, .sw = 23, .dh = 11, .dw = 64};
      const std::vector<uint8_t> src(c.sh * c.sw * 3, value);
      EXPECT_EQ(resize_whole(src, c), std::vector<uint8_t>(c.dh * c.dw * 3, value)) << filter;
    }
  }
}

// Dark and light bars side by side: bicubic overshoots on both sides and must not wrap.
TEST_P(Resize, ClipsBicubicOvershoot) {
  const Case c{.filter = "bicubic", .sh = 1, .sw = 4, .dh = 1, .dw = 40};
  const std::vector<uint8_t> dst =
      resize_whole({0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255}, c);
  EXPECT_TRUE(std::is_sorted(dst.begin() + 3 * 15, dst.begin() + 3 * 25));
  EXPECT_EQ(std::count(dst.begin(), dst.begin() + 3 * 15, 0), 3 * 15);
  EXPECT_EQ(std::count(dst.begin() + 3 * 25, dst.end(), 255), 3 * 15);
}

// A long sum: its halves wrap around, and the whole does not.
TEST_P(Resize, SumsTensOfThousandsOfPixelsExactly) {
  const std::vector<uint8_t> line = picture("noise", 3, 1, 65535);
  const std::vector<uint8_t> white(line.size(), 255);
  for (const char* filter : {"bilinear", "bicubic"}) {
    for (const bool tall : {false, true}) {
      const Case c = tall ? Case{.filter = filter, .sh = 65535, .sw = 1, .dh = 2, .dw = 1}
                          : Case{.filter = filter, .sh = 1, .sw = 65535, .dh = 1, .dw = 2};
      EXPECT_EQ(resize_whole(line, c), resize(Isa::kScalar, whole(line, c))) << filter;
      EXPECT_EQ(resize_whole(white, c), std::vector<uint8_t>(6, 255)) << filter;
    }
  }
}

// Between pages that may not be touched, src at the start or at the end, dst as well.
std::vector<uint8_t> resize_guarded(Isa isa, ResizeJob job, testing::GuardedBuffer::Flush flush) {
  const size_t src_bytes = job.sh * job.sw * 3, dst_bytes = job.h * job.w * 3;
  testing::GuardedBuffer src_buffer(src_bytes, flush), dst_buffer(dst_bytes, flush);
  const auto place = [&](testing::GuardedBuffer& buffer, size_t bytes) {
    const bool end = flush == testing::GuardedBuffer::Flush::kEnd;
    return reinterpret_cast<uint8_t*>(buffer.data()) + (end ? buffer.bytes() - bytes : 0);
  };
  uint8_t *src = place(src_buffer, src_bytes), *dst = place(dst_buffer, dst_bytes);
  std::copy_n(job.src, src_bytes, src);
  job.src = src;
  ResizeScratch scratch;
  resize_rgb8(isa, job, dst, job.w * 3, scratch);
  return {dst, dst + dst_bytes};
}

std::vector<uint8_t> window_of(const std::vector<uint8_t>& picture, const ResizeJob& job) {
  std::vector<uint8_t> window;
  for (int64_t y = job.y; y < job.y + job.h; ++y) {
    const auto begin = picture.begin() + (y * job.dw + job.x) * 3;
    window.insert(window.end(), begin, begin + job.w * 3);
  }
  return window;
}

// Starts and ends of windows: the whole side, its ends, its middle.
std::vector<std::pair<int64_t, int64_t>> windows_of(int64_t side) {
  std::vector<std::pair<int64_t, int64_t>> windows = {{0, side}};
  if (side > 1) windows.insert(windows.end(), {{0, 1}, {side - 1, side}});
  if (side > 4) windows.insert(windows.end(), {{side / 4, side - side / 4}, {1, side - 1}});
  return windows;
}

// Every window of rows with some window of columns, and the other way round.
void expect_windows_of_whole(Isa isa, const std::vector<uint8_t>& src, const Case& c,
                             uint32_t turn) {
  ResizeJob job = whole(src, c);
  const std::vector<uint8_t> want = resize(Isa::kScalar, job);
  const auto rows = windows_of(c.dh), columns = windows_of(c.dw);
  for (size_t i = 0; i < std::max(rows.size(), columns.size()); ++i) {
    const auto [top, bottom] = rows[i % rows.size()];
    const auto [left, right] = columns[(i + turn) % columns.size()];
    job.y = top;
    job.h = bottom - top;
    job.x = left;
    job.w = right - left;
    const auto flush =
        turn % 3 != 0 ? testing::GuardedBuffer::Flush::kEnd : testing::GuardedBuffer::Flush::kStart;
    EXPECT_EQ(resize_guarded(isa, job, flush), window_of(want, job))
        << c.filter << " " << c.sw << "x" << c.sh << " -> " << c.dw << "x" << c.dh << ", rows "
        << top << " to " << bottom << ", columns " << left << " to " << right;
  }
}

// Sides that shrink, grow and stay: against the whole picture at the scalar level.
TEST_P(Resize, OfAWindowIsThatWindowOfTheWhole) {
  const std::vector<int64_t> sides = {1, 2, 3, 5, 8, 13, 31, 64, 90};
  const auto side = [&](size_t i) { return sides[i % sides.size()]; };
  const size_t n = sides.size();
  for (size_t i = 0; i < n * n * n * n && !HasFailure(); ++i) {
    const auto turn = static_cast<uint32_t>(i);
    const Case c{.filter = turn % 2 != 0 ? "bicubic" : "bilinear",
                 .sh = side(i),
                 .sw = side(i / n),
                 .dh = side(i / n / n),
                 .dw = side(i / n / n / n)};
    expect_windows_of_whole(GetParam(), picture("noise", turn, c.sh, c.sw), c, turn);
  }
}

// What an earlier resize left in the memory between two is of no account.
TEST_P(Resize, ReusesTheMemoryOfOthers) {
  const std::vector<uint8_t> src = picture("noise", 1, 40, 50);
  ResizeScratch scratch;
  for (const Case& c : {Case{.filter = "bicubic", .sh = 40, .sw = 50, .dh = 20, .dw = 30},
                        Case{.filter = "bilinear", .sh = 50, .sw = 40, .dh = 7, .dw = 39},
                        Case{.filter = "bilinear", .sh = 5, .sw = 4, .dh = 9, .dw = 9},
                        Case{.filter = "bicubic", .sh = 40, .sw = 50, .dh = 90, .dw = 1}}) {
    const ResizeJob job = whole(src, c);
    std::vector<uint8_t> dst(c.dh * c.dw * 3);
    resize_rgb8(GetParam(), job, dst.data(), c.dw * 3, scratch);
    EXPECT_EQ(dst, resize(Isa::kScalar, job)) << c.dw << "x" << c.dh;
  }
}

}  // namespace
}  // namespace penult::kernels
