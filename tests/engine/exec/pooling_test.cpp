#include "engine/exec/pooling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>

#include "engine/exec/deliver.h"

namespace penult {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// Of n images, in a frame of one pixel at the left and two above; the frame and the channels that
// fill up a pixel hold NaNs, which would show.
struct Images {
  Images(Shape shape, int64_t count) : n(count) {
    desc = {.shape = shape, .halo = {2, 1, 0, 0}};
    desc.pixel_stride = (shape.c + kernels::kChannelPad - 1) / kernels::kChannelPad * 16;
    desc.row_stride = (shape.w + 1) * desc.pixel_stride;
    desc.image_stride = (shape.h + 2) * desc.row_stride;
    floats.assign(static_cast<size_t>(n * desc.image_stride), NAN);
  }
  float* origin() { return floats.data() + 2 * desc.row_stride + desc.pixel_stride; }
  float& at(int64_t image, int64_t c, int64_t y, int64_t x) {
    return origin()[image * desc.image_stride + y * desc.row_stride + x * desc.pixel_stride + c];
  }
  void fill(const std::function<float()>& next) {
    const Shape& s = desc.shape;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t c = 0; c < s.c; ++c)
        for (int64_t y = 0; y < s.h; ++y)
          for (int64_t x = 0; x < s.w; ++x) at(i, c, y, x) = next();
  }
  std::vector<float> pooled(Pooling pooling, int threads = 1) {
    std::vector<float> out(static_cast<size_t>(n * delivery_elems(desc.shape, pooling)), -7777.0f);
    for (int t = 0; t < threads; ++t) {
      deliver(desc, origin(), pooling, out.data(), n, {t, threads});
    }
    return out;
  }

  kernels::TensorDesc desc;
  int64_t n;
  std::vector<float> floats;
};

Images random_images(Shape shape, int64_t n) {
  Images images(shape, n);
  std::mt19937 random(static_cast<uint32_t>(shape.c * 1000 + shape.h * 10 + shape.w));
  std::normal_distribution<float> normal(0.3f, 2.0f);
  images.fill([&] { return normal(random); });
  return images;
}

using Plane = std::vector<std::vector<double>>;  // rows of one channel

Plane plane_of(Images& images, int64_t image, int64_t c) {
  Plane plane(static_cast<size_t>(images.desc.shape.h));
  for (int64_t y = 0; y < images.desc.shape.h; ++y) {
    for (int64_t x = 0; x < images.desc.shape.w; ++x) {
      plane[y].push_back(static_cast<double>(images.at(image, c, y, x)));
    }
  }
  return plane;
}

double mean_of(const Plane& plane, const std::function<double(double)>& f) {
  double sum = 0;
  for (const auto& row : plane)
    for (const double x : row) sum += f(x);
  return sum / static_cast<double>(plane.size() * plane[0].size());
}

// By the formulas of PyTorch's documentation: rows floor(i h / 2) to ceil((i + 1) h / 2).
double bin(const Plane& plane, int i, int j) {
  const auto rows = plane.size(), columns = plane[0].size();
  const auto begin = [](int k, size_t size) {
    return std::floor(k * static_cast<double>(size) / 2);
  };
  const auto end = [](int k, size_t size) {
    return std::ceil((k + 1) * static_cast<double>(size) / 2);
  };
  double sum = 0, count = 0;
  for (auto y = begin(i, rows); y < end(i, rows); ++y)
    for (auto x = begin(j, columns); x < end(j, columns); ++x, ++count)
      sum += plane[static_cast<size_t>(y)][static_cast<size_t>(x)];
  return sum / count;
}

// One rounding to float32, and what double loses before.
void expect_rounded(float got, double want, double magnitude) {
  EXPECT_NEAR(static_cast<double>(got), want, std::abs(want) * 0x1p-24 + magnitude * 1e-13);
}

const Shape kShapes[] = {Shape::map(1, 1, 1),  Shape::map(5, 1, 4),  Shape::map(16, 2, 2),
                         Shape::map(33, 3, 5), Shape::map(17, 7, 7), Shape::map(40, 8, 6)};

TEST(Pooling, GemIsTheCubicMeanOfWhatIsAboveEps) {
  for (const Shape& shape : kShapes) {
    Images images = random_images(shape, 2);
    const std::vector<float> got = images.pooled(Pooling::kGem);
    ASSERT_EQ(got.size(), static_cast<size_t>(2 * shape.c));
    for (int64_t i = 0; i < 2 * shape.c; ++i) {
      const Plane plane = plane_of(images, i / shape.c, i % shape.c);
      const double eps = static_cast<double>(1e-6f);
      const double mean = mean_of(plane, [&](double x) { return std::pow(std::max(x, eps), 3); });
      expect_rounded(got[i], std::pow(mean, 1.0 / 3), 8);
    }
  }
}

TEST(Pooling, GemOfNothingAboveEpsIsEps) {
  Images images(Shape::map(3, 7, 5), 1);
  images.fill([] { return -2.0f; });
  for (const float value : images.pooled(Pooling::kGem)) EXPECT_FLOAT_EQ(value, 1e-6f);
}

TEST(Pooling, AvgStdIsAllMeansThenAllDeviations) {
  for (const Shape& shape : kShapes) {
    Images images = random_images(shape, 2);
    const std::vector<float> got = images.pooled(Pooling::kAvgStd);
    ASSERT_EQ(got.size(), static_cast<size_t>(2 * 2 * shape.c));
    for (int64_t i = 0; i < 2 * shape.c; ++i) {
      const Plane plane = plane_of(images, i / shape.c, i % shape.c);
      const double mean = mean_of(plane, [](double x) { return x; });
      const double variance = mean_of(plane, [&](double x) { return (x - mean) * (x - mean); });
      const float* feature = got.data() + i / shape.c * 2 * shape.c + i % shape.c;
      expect_rounded(feature[0], mean, 8);
      expect_rounded(feature[shape.c], std::sqrt(variance), 8);
    }
  }
}

// Where means of squares would have lost every digit.
TEST(Pooling, DeviationsAreExactFarFromZero) {
  Images images(Shape::map(2, 4, 4), 1);
  int i = 0;
  images.fill([&] { return i++ < 16 ? 1e7f + static_cast<float>(i % 2) : 12345.678f; });
  EXPECT_EQ(images.pooled(Pooling::kAvgStd),
            (std::vector<float>{10000000.5f, 12345.678f, 0.5f, 0.0f}));
}

TEST(Pooling, TwoByTwoAveragesThePyTorchBins) {
  for (const Shape& shape : kShapes) {
    Images images = random_images(shape, 2);
    const std::vector<float> got = images.pooled(Pooling::kGrid2x2);
    ASSERT_EQ(got.size(), static_cast<size_t>(2 * 4 * shape.c));
    for (int64_t i = 0; i < 2 * shape.c; ++i) {
      const Plane plane = plane_of(images, i / shape.c, i % shape.c);
      for (int b = 0; b < 4; ++b) expect_rounded(got[4 * i + b], bin(plane, b / 2, b % 2), 8);
    }
  }
}

TEST(Pooling, OfInfinityAndNanShows) {
  for (const float broken : {NAN, kInf}) {
    for (const Pooling pooling : {Pooling::kGem, Pooling::kAvgStd, Pooling::kGrid2x2}) {
      Images images = random_images(Shape::map(18, 3, 3), 1);
      images.at(0, 17, 0, 0) = broken;
      const std::vector<float> got = images.pooled(pooling);
      size_t finite = 0;
      for (const float value : got) finite += std::isfinite(value);
      EXPECT_LT(finite, got.size()) << pooling_name(pooling);
      EXPECT_GE(finite, got.size() * 17 / 18) << pooling_name(pooling);
    }
  }
}

TEST(Pooling, OfEveryKindHasTheSameBitsWhateverTheBatchAndTheThreads) {
  for (const PoolingDef& def : poolings()) {
    if (def.pool == nullptr) continue;
    for (const Shape& shape : kShapes) {
      Images three = random_images(shape, 3);
      const std::vector<float> want = three.pooled(def.pooling);
      for (const int threads : {2, 3, 5, 8}) {
        const std::vector<float> got = three.pooled(def.pooling, threads);
        EXPECT_EQ(std::memcmp(got.data(), want.data(), want.size() * sizeof(float)), 0)
            << def.name << shape.to_string() << threads;
      }
      Images last(shape, 1);
      std::copy(three.floats.end() - static_cast<int64_t>(last.floats.size()), three.floats.end(),
                last.floats.begin());
      const std::vector<float> alone = last.pooled(def.pooling);
      EXPECT_EQ(
          std::memcmp(alone.data(), want.data() + 2 * alone.size(), alone.size() * sizeof(float)),
          0)
          << def.name << shape.to_string();
    }
  }
}

TEST(Poolings, StandInTheOrderOfTheirNumbersUnderNamesOfTheirOwn) {
  for (size_t i = 0; i < poolings().size(); ++i) {
    const PoolingDef& def = poolings()[i];
    EXPECT_EQ(static_cast<size_t>(def.pooling), i);
    EXPECT_EQ(*pooling_from_name(def.name), def.pooling);
    EXPECT_STREQ(pooling_name(def.pooling), def.name);
    EXPECT_EQ(pooling_names()[i], def.name);
  }
  EXPECT_EQ(pooling_from_name("mean").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace penult
