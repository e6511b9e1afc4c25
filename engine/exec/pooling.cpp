#include "engine/exec/pooling.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/base/check.h"

namespace penult {
namespace {

using Sums = std::array<double, kPoolChannels>;

// sums[c] of term(value, c) over rows [y0, y1) and columns [x0, x1), in raster order.
template <class Term>
Sums sum(const MapBlock& map, int64_t y0, int64_t y1, int64_t x0, int64_t x1, const Term& term) {
  Sums sums = {};
  for (int64_t y = y0; y < y1; ++y) {
    for (int64_t x = x0; x < x1; ++x) {
      const float* pixel = map.pixel(y, x);
      for (int64_t c = 0; c < map.channels; ++c) sums[c] += term(pixel[c], c);
    }
  }
  return sums;
}

template <class Term>
Sums mean(const MapBlock& map, const Term& term) {
  Sums sums = sum(map, 0, map.shape.h, 0, map.shape.w, term);
  for (double& value : sums) value /= static_cast<double>(map.shape.h * map.shape.w);
  return sums;
}

double itself(float value, int64_t) { return static_cast<double>(value); }

void pool_max(const MapBlock& map, float* feature) {
  float* largest = feature + map.channel;
  std::copy_n(map.first, map.channels, largest);
  for (int64_t y = 0; y < map.shape.h; ++y) {
    for (int64_t x = 0; x < map.shape.w; ++x) {
      const float* pixel = map.pixel(y, x);
      for (int64_t c = 0; c < map.channels; ++c) {
        // NaN wins, as in PyTorch: a broken map must not look like a sound one.
        if (pixel[c] > largest[c] || std::isnan(pixel[c])) largest[c] = pixel[c];
      }
    }
  }
}

// Also of a vector.
void copy_map(const MapBlock& map, float* feature) {
  const int64_t plane = map.shape.h * map.shape.w;
  float* to = feature + map.channel * plane;
  for (int64_t y = 0; y < map.shape.h; ++y) {
    for (int64_t x = 0; x < map.shape.w; ++x, ++to) {
      const float* pixel = map.pixel(y, x);
      for (int64_t c = 0; c < map.channels; ++c) to[c * plane] = pixel[c];
    }
  }
}

// F. Radenovic, G. Tolias, O. Chum: Fine-tuning CNN Image Retrieval with No Human Annotation, 2018,
// equation 3; the lower bound is that of their code.
void pool_gem(const MapBlock& map, float* feature) {
  static_assert(kGemPower == 3);
  const Sums cubes = mean(map, [](float value, int64_t) {
    const auto x = static_cast<double>(value < kGemEps ? kGemEps : value);  // NaN stays NaN
    return x * x * x;
  });
  for (int64_t c = 0; c < map.channels; ++c) {
    feature[map.channel + c] = static_cast<float>(std::cbrt(cubes[c]));
  }
}

// The deviation in a second pass: the difference of squares' and square's means would cancel.
void pool_avg_std(const MapBlock& map, float* feature) {
  const Sums means = mean(map, itself);
  const Sums variances = mean(map, [&](float value, int64_t c) {
    const double distance = static_cast<double>(value) - means[c];
    return distance * distance;
  });
  for (int64_t c = 0; c < map.channels; ++c) {
    feature[map.channel + c] = static_cast<float>(means[c]);
    feature[map.shape.c + map.channel + c] = static_cast<float>(std::sqrt(variances[c]));
  }
}

// Bin i of `count` over `size` positions, as in PyTorch's adaptive_avg_pool2d: it begins at
// floor(i * size / count) and ends before ceil((i + 1) * size / count), so bins may overlap.
int64_t bin_begin(int64_t i, int64_t size, int64_t count) { return i * size / count; }
int64_t bin_end(int64_t i, int64_t size, int64_t count) {
  return ((i + 1) * size + count - 1) / count;
}

void pool_2x2(const MapBlock& map, float* feature) {
  constexpr int64_t kBins = 2;
  for (int64_t i = 0; i < kBins; ++i) {
    for (int64_t j = 0; j < kBins; ++j) {
      const int64_t y0 = bin_begin(i, map.shape.h, kBins), y1 = bin_end(i, map.shape.h, kBins);
      const int64_t x0 = bin_begin(j, map.shape.w, kBins), x1 = bin_end(j, map.shape.w, kBins);
      const Sums sums = sum(map, y0, y1, x0, x1, itself);
      const auto positions = static_cast<double>((y1 - y0) * (x1 - x0));
      for (int64_t c = 0; c < map.channels; ++c) {
        feature[((map.channel + c) * kBins + i) * kBins + j] =
            static_cast<float>(sums[c] / positions);
      }
    }
  }
}

template <int64_t kTimes>
int64_t channels(const Shape& map) {
  return kTimes * map.c;
}
int64_t all(const Shape& map) { return map.elems(); }

constexpr PoolingDef kPoolings[] = {
    // number, name, elems, keeps_map, pool
    {Pooling::kAvg, "avg", channels<1>, false, nullptr},
    {Pooling::kMax, "max", channels<1>, false, pool_max},
    {Pooling::kFlatten, "flatten", all, false, copy_map},
    {Pooling::kNone, "none", all, true, copy_map},
    {Pooling::kGem, "gem", channels<1>, false, pool_gem},
    {Pooling::kAvgStd, "avg+std", channels<2>, false, pool_avg_std},
    {Pooling::kGrid2x2, "2x2", channels<4>, false, pool_2x2},
};

}  // namespace

std::span<const PoolingDef> poolings() { return kPoolings; }

const PoolingDef& pooling_def(Pooling pooling) {
  const PoolingDef& def = kPoolings[static_cast<size_t>(pooling)];
  PENULT_DCHECK(def.pooling == pooling);
  return def;
}

int64_t delivery_elems(const Shape& shape, Pooling pooling) {
  return shape.is_map() ? pooling_def(pooling).elems(shape) : shape.elems();
}

std::vector<int64_t> delivery_dims(const Shape& shape, Pooling pooling) {
  if (shape.is_map() && pooling_def(pooling).keeps_map) return {shape.c, shape.h, shape.w};
  return {delivery_elems(shape, pooling)};
}

}  // namespace penult
