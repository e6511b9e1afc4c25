#include "engine/exec/deliver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace penult {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// A 2-channel map of 2 by 3 pixels for each image, in a frame of one pixel.
kernels::TensorDesc framed() {
  kernels::TensorDesc desc{.shape = Shape::map(2, 2, 3), .halo = {1, 1, 1, 1}};
  desc.pixel_stride = kernels::kChannelPad;
  desc.row_stride = 5 * desc.pixel_stride;
  desc.image_stride = 4 * desc.row_stride;
  return desc;
}

// The buffer of n images, filled with `fill`, and the address of pixel (0,0).
struct Framed {
  explicit Framed(int64_t n, float fill = 1000)
      : floats(static_cast<size_t>(n * framed().image_stride), fill) {}
  float* origin() { return floats.data() + framed().row_stride + framed().pixel_stride; }
  std::vector<float> floats;
};

std::vector<float> pooled_max(const std::vector<float>& planar, int64_t n, int threads = 1) {
  Framed map(n);
  copy_input({.planar = planar.data()}, framed(), map.origin(), n, {0, 1});
  std::vector<float> out(static_cast<size_t>(2 * n), -1);
  for (int t = 0; t < threads; ++t) {
    deliver(framed(), map.origin(), Pooling::kMax, out.data(), n, {t, threads});
  }
  return out;
}

TEST(Deliver, MaxSeesTheMapAndNothingAround) {
  const std::vector<float> map = {-1, -2, -3, -4, -5, -6, 7, 9, 8, 0, 1, 2};
  EXPECT_EQ(pooled_max(map, 1), (std::vector<float>{-1, 9}));
  EXPECT_EQ(pooled_max(std::vector<float>(12, -kInf), 1), (std::vector<float>{-kInf, -kInf}));
}

TEST(Deliver, MaxOfAMapWithANanIsNanWhereverItIs) {
  for (size_t at = 0; at < 6; ++at) {
    std::vector<float> map = {1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1};
    map[at] = NAN;
    const std::vector<float> got = pooled_max(map, 1);
    EXPECT_TRUE(std::isnan(got[0])) << at;
    EXPECT_EQ(got[1], 6) << at;
  }
}

TEST(Deliver, PartsOfSeveralThreadsMakeTheWhole) {
  std::vector<float> images(3 * 12);
  for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i * 7 % 36);
  for (const int threads : {2, 3, 5, 8}) {
    EXPECT_EQ(pooled_max(images, 3, threads), pooled_max(images, 3)) << threads;
  }
}

TEST(Deliver, MapsComeBackAsTheyWentIn) {
  std::vector<float> images(2 * 12), out(2 * 12);
  for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i);
  Framed map(2);
  copy_input({.planar = images.data()}, framed(), map.origin(), 2, {0, 1});
  for (const Pooling pooling : {Pooling::kNone, Pooling::kFlatten}) {
    std::fill(out.begin(), out.end(), -1.0f);
    deliver(framed(), map.origin(), pooling, out.data(), 2, {0, 1});
    EXPECT_EQ(out, images);
  }
}

// kernel.h promises finite floats between a pixel's channels and the next pixel; fresh memory and
// what an earlier run left there are anything.
TEST(CopyInput, FillsUpThePixelsWithZeros) {
  Framed map(1, NAN);
  const std::vector<float> fives(12, 5.0f);
  copy_input({.planar = fives.data()}, framed(), map.origin(), 1, {0, 1});
  for (int64_t y = 0; y < 2; ++y) {
    for (int64_t x = 0; x < 3; ++x) {
      const float* pixel = map.origin() + y * framed().row_stride + x * framed().pixel_stride;
      for (int64_t c = 0; c < framed().pixel_stride; ++c) EXPECT_EQ(pixel[c], c < 2 ? 5 : 0) << c;
    }
  }
}

// The bytes of 2 images of 2 by 3 pixels, and the floats that they stand for.
struct Bytes {
  explicit Bytes(bool bgr) : values(make_rgb8_values({0.25f, 0.5f, 0.75f}, {0.5f, 1, 2}, bgr)) {
    for (size_t i = 0; i < 2 * 2 * 3 * 3; ++i) rgb.push_back(static_cast<uint8_t>(i * 37));
    for (size_t image = 0; image < 2; ++image) {
      for (size_t c = 0; c < 3; ++c) {
        for (size_t pixel = 0; pixel < 6; ++pixel) {
          const auto x = static_cast<float>(rgb[(image * 6 + pixel) * 3 + (bgr ? 2 - c : c)]);
          planar.push_back((x / 255.0f - 0.25f * static_cast<float>(c + 1)) /
                           (0.5f * static_cast<float>(1 << c)));
        }
      }
    }
  }
  Rgb8Values values;
  std::vector<uint8_t> rgb;
  std::vector<float> planar;
};

void expect_bytes_as_floats(const kernels::TensorDesc& desc) {
  for (const bool bgr : {false, true}) {
    const Bytes bytes(bgr);
    Framed want(2, 1000), got(2, 1000);  // what stands around is not touched either
    copy_input({.planar = bytes.planar.data()}, desc, want.origin(), 2, {0, 1});
    for (int t = 0; t < 3; ++t) {
      const InputImages images{.rgb8 = bytes.rgb.data(), .values = &bytes.values};
      copy_input(images, desc, got.origin(), 2, {t, 3});
    }
    EXPECT_EQ(got.floats, want.floats) << bgr;
  }
}

TEST(CopyInput, OfBytesIsThatOfTheirFloats) {
  kernels::TensorDesc desc = framed();
  desc.shape = Shape::map(3, 2, 3);
  expect_bytes_as_floats(desc);
}

TEST(CopyInput, OfBytesIsThatOfTheirFloatsInPixelsWithoutPadding) {
  kernels::TensorDesc desc = framed();
  desc.shape = Shape::map(3, 2, 3);
  desc.pixel_stride = 3;
  desc.row_stride = 5 * desc.pixel_stride;
  desc.image_stride = 4 * desc.row_stride;
  expect_bytes_as_floats(desc);
}

TEST(Deliver, LeavesVectorsAlone) {
  kernels::TensorDesc desc{.shape = Shape::vector(3)};
  desc.pixel_stride = desc.row_stride = desc.image_stride = kernels::kChannelPad;
  std::vector<float> vectors(2 * kernels::kChannelPad, 1000);
  const std::vector<float> want = {1, -2, 3, 4, 5, -6};
  copy_input({.planar = want.data()}, desc, vectors.data(), 2, {0, 1});
  for (const PoolingDef& def : poolings()) {
    std::vector<float> out(6);
    deliver(desc, vectors.data(), def.pooling, out.data(), 2, {0, 1});
    EXPECT_EQ(out, want) << def.name;
    EXPECT_EQ(delivery_elems(desc.shape, def.pooling), 3);
    EXPECT_EQ(delivery_dims(desc.shape, def.pooling), std::vector<int64_t>{3});
  }
}

TEST(ZeroHalo, ZeroesTheFrameAndNothingElse) {
  Framed map(3);
  zero_halo(framed(), map.origin(), 2, {0, 2});
  zero_halo(framed(), map.origin(), 2, {1, 2});
  const kernels::TensorDesc desc = framed();
  for (int64_t image = 0; image < 3; ++image) {
    for (int64_t y = -1; y <= 2; ++y) {
      for (int64_t x = -1; x <= 3; ++x) {
        const bool inside = y >= 0 && y < 2 && x >= 0 && x < 3;
        const float* pixel =
            map.origin() + image * desc.image_stride + y * desc.row_stride + x * desc.pixel_stride;
        const float want = inside || image == 2 ? 1000.0f : 0.0f;  // images beyond n stay
        EXPECT_TRUE(
            std::all_of(pixel, pixel + desc.pixel_stride, [&](float v) { return v == want; }))
            << image << " " << y << " " << x;
      }
    }
  }
}

}  // namespace
}  // namespace penult
