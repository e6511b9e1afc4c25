#include "kernels/resize/resize_taps.h"

#include <algorithm>
#include <cmath>

#include "kernels/resize/resize_params.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

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

int16_t high_part(int32_t weight) { return static_cast<int16_t>(weight >> kLowBits); }
int16_t low_part(int32_t weight) {
  return static_cast<int16_t>(weight & ((int32_t{1} << kLowBits) - 1));
}

}  // namespace

void make_taps(int64_t in, int64_t out, ResizeFilter filter, int64_t begin, int64_t end,
               ResizeTaps& taps) {
  double (*const curve)(double) = filter == ResizeFilter::kBilinear ? bilinear : bicubic;
  const double scale = static_cast<double>(in) / static_cast<double>(out);
  const double stretch = std::max(scale, 1.0);  // antialias: the filter widens when shrinking
  const double support = (filter == ResizeFilter::kBilinear ? 1.0 : 2.0) * stretch;
  taps.stride = static_cast<int64_t>(std::ceil(support)) * 2 + 1;
  taps.first.resize(end - begin);
  taps.count.resize(end - begin);
  taps.weights.assign((end - begin) * taps.stride, 0);
  taps.exact.resize(taps.stride);
  const double inverse = 1.0 / stretch;
  for (int64_t x = begin; x < end; ++x) {
    const double center = (static_cast<double>(x) + 0.5) * scale;
    const auto first = std::max<int64_t>(static_cast<int64_t>(center - support + 0.5), 0);
    const auto count = std::min(static_cast<int64_t>(center + support + 0.5), in) - first;
    double sum = 0;
    for (int64_t i = 0; i < count; ++i) {
      taps.exact[i] = curve((static_cast<double>(i + first) - center + 0.5) * inverse);
      sum += taps.exact[i];
    }
    int32_t* weights = &taps.weights[(x - begin) * taps.stride];
    for (int64_t i = 0; i < count; ++i) {
      const double share = sum != 0.0 ? taps.exact[i] / sum : taps.exact[i];
      const double weight = share * (1 << kWeightBits);
      weights[i] = static_cast<int32_t>(weight + (weight < 0 ? -0.5 : 0.5));
    }
    taps.first[x - begin] = first;
    taps.count[x - begin] = count;
  }
  taps.max_count = *std::max_element(taps.count.begin(), taps.count.end());
  taps.pairs = (taps.max_count + 1) / 2;
}

void pack_for_rows(ResizeTaps& taps) {
  taps.packed.assign(taps.size() * taps.pairs * 4, 0);
  for (int64_t position = 0; position < taps.size(); ++position) {
    const int32_t* weights = &taps.weights[position * taps.stride];
    int16_t* packed = &taps.packed[position * taps.pairs * 4];
    for (int64_t i = 0; i < taps.count[position]; ++i) {
      packed[i / 2 * 4 + i % 2] = high_part(weights[i]);
      packed[i / 2 * 4 + 2 + i % 2] = low_part(weights[i]);
    }
  }
}

void pack_for_columns(ResizeTaps& taps) {
  constexpr int64_t kHalf = kPixelGroup * kPackedPixelPair;
  const int64_t whole = round_up(taps.size(), kPixelGroup), origin = taps.begin();
  taps.packed.assign(whole * taps.pairs * 2 * kPackedPixelPair, 0);
  for (int64_t x = 0; x < taps.size(); ++x) {
    const int32_t* weights = &taps.weights[x * taps.stride];
    int16_t* pixel =
        &taps.packed[x / kPixelGroup * taps.pairs * 2 * kHalf + x % kPixelGroup * kPackedPixelPair];
    for (int64_t i = 0; i < taps.count[x]; ++i) {
      int16_t* high = pixel + i / 2 * 2 * kHalf + i % 2;
      for (int channel = 0; channel < 4; ++channel) {
        high[2 * channel] = high_part(weights[i]);
        high[kHalf + 2 * channel] = low_part(weights[i]);
      }
    }
  }
  for (int64_t& first : taps.first) first = (first - origin) * 3;
  taps.first.resize(whole, taps.first.back());
}

}  // namespace penult::kernels
