#include "kernels/resize/resize.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace penult::kernels {
namespace {

// 32 bits hold 8 bits of pixel, 2 of overshoot and this many fractional ones.
constexpr int kFractionBits = 32 - 8 - 2;
constexpr int32_t kHalf = 1 << (kFractionBits - 1);

double bilinear(double x) {
  x = std::abs(x);
  return x < 1.0 ? 1.0 - x : 0.0;
}

// Keys' cubic with a = -0.5.
double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

// For each output position: first input position, how many, and their weights.
struct Taps {
  int64_t stride = 0;  // weights a position
  std::vector<int64_t> first, count;
  std::vector<int32_t> weights;
};

Taps make_taps(int64_t in, int64_t out, ResizeFilter filter) {
  double (*const curve)(double) = filter == ResizeFilter::kBilinear ? bilinear : bicubic;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);  // antialias: the filter widens when shrinking
  const double support = (filter == ResizeFilter::kBilinear ? 1.0 : 2.0) * stretch;
  Taps taps;
  taps.stride = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  taps.first.resize(out);
  taps.count.resize(out);
  taps.weights.assign(out * taps.stride, 0);
  std::vector<double> exact(taps.stride);
  for (int64_t x = 0; x < out; ++x) {
    const double center = (static_cast<double>(x) + 0.5) * scale;
    const double inverse = 1.0 / stretch;
    const auto first = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
    const auto count = std::min(static_cast<int64_t>(center + support + 0.5), in) - first;
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      exact[i] = curve((static_cast<double>(i + first) - center + 0.5) * inverse);
      sum += exact[i];
    }
    for (int64_t i = 0; i < count; ++i) {
      const double weight = (sum != 0.0 ? exact[i] / sum : exact[i]) * (1 << kFractionBits);
      taps.weights[x * taps.stride + i] = static_cast<int32_t>(weight + (weight < 0 ? -0.5 : 0.5));
    }
    taps.first[x] = first;
    taps.count[x] = count;
  }
  return taps;
}

uint8_t round_to_u8(int32_t sum) {
  return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255));
}

// One row: (sw,3) -> (dw,3).
void resize_row(const uint8_t* src, uint8_t* dst, const Taps& taps) {
  const auto width = static_cast<int64_t>(taps.first.size());
  for (int64_t x = 0; x < width; ++x) {
    const int32_t* weights = &taps.weights[x * taps.stride];
    const uint8_t* pixel = src + taps.first[x] * 3;
    int32_t r = kHalf, g = kHalf, b = kHalf;
    for (int64_t i = 0; i < taps.count[x]; ++i, pixel += 3) {
      r += pixel[0] * weights[i];
      g += pixel[1] * weights[i];
      b += pixel[2] * weights[i];
    }
    dst[3 * x] = round_to_u8(r);
    dst[3 * x + 1] = round_to_u8(g);
    dst[3 * x + 2] = round_to_u8(b);
  }
}

// One output row from `count` input rows of `bytes` bytes each; `sums` holds `bytes` sums.
void blend_rows(const uint8_t* src, int64_t bytes, const int32_t* weights, int64_t count,
                int32_t* sums, uint8_t* dst) {
  std::fill_n(sums, bytes, kHalf);
  for (int64_t i = 0; i < count; ++i) {
    const uint8_t* row = src + i * bytes;
    const int32_t weight = weights[i];
    for (int64_t j = 0; j < bytes; ++j) sums[j] += row[j] * weight;
  }
  for (int64_t j = 0; j < bytes; ++j) dst[j] = round_to_u8(sums[j]);
}

// (h,sw,3) -> (h,dw,3).
void resize_columns(const uint8_t* src, int64_t h, int64_t sw, uint8_t* dst, int64_t dw,
                    ResizeFilter filter) {
  const Taps taps = make_taps(sw, dw, filter);
  for (int64_t y = 0; y < h; ++y) resize_row(src + y * sw * 3, dst + y * dw * 3, taps);
}

// (sh,w,3) -> (dh,w,3).
void resize_rows(const uint8_t* src, int64_t sh, int64_t w, uint8_t* dst, int64_t dh,
                 ResizeFilter filter) {
  const Taps taps = make_taps(sh, dh, filter);
  const int64_t bytes = w * 3;
  std::vector<int32_t> sums(bytes);
  for (int64_t y = 0; y < dh; ++y) {
    blend_rows(src + taps.first[y] * bytes, bytes, &taps.weights[y * taps.stride], taps.count[y],
               sums.data(), dst + y * bytes);
  }
}

}  // namespace

void resize_rgb8(const uint8_t* src, int64_t sh, int64_t sw, uint8_t* dst, int64_t dh, int64_t dw,
                 ResizeFilter filter) {
  // A side that keeps its length is not filtered at all.
  if (dh == sh && dw == sw) {
    std::memcpy(dst, src, sh * sw * 3);
  } else if (dh == sh) {
    resize_columns(src, sh, sw, dst, dw, filter);
  } else if (dw == sw) {
    resize_rows(src, sh, sw, dst, dh, filter);
  } else if (sh - dh > std::max<int64_t>(0, 2 * (sw - dw))) {
    std::vector<uint8_t> lower(dh * sw * 3);
    resize_rows(src, sh, sw, lower.data(), dh, filter);
    resize_columns(lower.data(), dh, sw, dst, dw, filter);
  } else {
    std::vector<uint8_t> narrower(sh * dw * 3);
    resize_columns(src, sh, sw, narrower.data(), dw, filter);
    resize_rows(narrower.data(), sh, dw, dst, dh, filter);
  }
}

}  // namespace penult::kernels
