#include "tests/kernels/winograd_magnitudes.h"

#include <algorithm>
#include <cmath>

namespace penult::testing {
namespace {

using kernels::NumericClass;
using Square = std::vector<double>;

// left * middle * left', all square or not, of absolute values.
Square sandwich(const std::vector<double>& left, int rows, int columns, const Square& middle) {
  Square half(static_cast<size_t>(rows * columns)), whole(static_cast<size_t>(rows * rows));
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j)
      for (int k = 0; k < columns; ++k)
        half[i * columns + j] += std::fabs(left[i * columns + k]) * middle[k * columns + j];
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < rows; ++j)
      for (int k = 0; k < columns; ++k)
        whole[i * rows + j] += half[i * columns + k] * std::fabs(left[j * columns + k]);
  return whole;
}

// |G w G'|: the entries of w keep their signs inside, as the kernel rounds only the result.
Square transformed_weights(const WinogradMatrices& m, const float* w) {
  Square half(static_cast<size_t>(m.in * 3)), whole(static_cast<size_t>(m.in * m.in));
  for (int i = 0; i < m.in; ++i)
    for (int j = 0; j < 3; ++j)
      for (int k = 0; k < 3; ++k) half[i * 3 + j] += m.g[i * 3 + k] * w[k * 3 + j];
  for (int i = 0; i < m.in; ++i) {
    for (int j = 0; j < m.in; ++j) {
      for (int k = 0; k < 3; ++k) whole[i * m.in + j] += half[i * 3 + k] * m.g[j * 3 + k];
      whole[i * m.in + j] = std::fabs(whole[i * m.in + j]);
    }
  }
  return whole;
}

// |src| of one tile and channel; zeros outside the map.
Square tile_of(const KernelCase& c, int size, int64_t image, int64_t top, int64_t left,
               int64_t channel) {
  const Shape& src = c.spec.src;
  Square tile(static_cast<size_t>(size * size));
  for (int64_t y = 0; y < size; ++y) {
    for (int64_t x = 0; x < size; ++x) {
      if (top + y < 0 || top + y >= src.h || left + x < 0 || left + x >= src.w) continue;
      const int64_t at = ((image * src.h + top + y) * src.w + left + x) * src.c + channel;
      tile[y * size + x] = std::fabs(c.src[0][at]);
    }
  }
  return tile;
}

std::vector<Square> all_weights(const KernelCase& c, const WinogradMatrices& m) {
  std::vector<Square> all;
  for (int64_t i = 0; i < c.spec.oc * c.spec.src.c; ++i)
    all.push_back(transformed_weights(m, c.weights[0].data() + 9 * i));
  return all;
}

}  // namespace

const WinogradMatrices& matrices_of(NumericClass numeric_class) {
  static const double a = std::sqrt(0.5), b = std::sqrt(2.0);
  // clang-format off
  static const WinogradMatrices f43 = {6, 4,
      {1, 0, -2.5, 0, 1, 0,
       0, -2 * a, -2, a, 1, 0,
       0, 2 * a, -2, -a, 1, 0,
       0, -b / 2, -0.5, b, 1, 0,
       0, b / 2, -0.5, -b, 1, 0,
       0, 1, 0, -2.5, 0, 1},
      {1, 0, 0,
       -1 / 1.5, -a / 1.5, -0.5 / 1.5,
       -1 / 1.5, a / 1.5, -0.5 / 1.5,
       1.0 / 6, b / 6, 2.0 / 6,
       1.0 / 6, -b / 6, 2.0 / 6,
       0, 0, 1},
      {1, 1, 1, 1, 1, 0,
       0, a, -a, b, -b, 0,
       0, 0.5, 0.5, 2, 2, 0,
       0, a / 2, -a / 2, 2 * b, -2 * b, 1}};
  static const WinogradMatrices f23 = {4, 2,
      {1, 0, -1, 0,
       0, 1, 1, 0,
       0, -1, 1, 0,
       0, 1, 0, -1},
      {1, 0, 0,
       0.5, 0.5, 0.5,
       0.5, -0.5, 0.5,
       0, 0, 1},
      {1, 1, 1, 0,
       0, 1, -1, -1}};
  // clang-format on
  return numeric_class == NumericClass::kWinograd43 ? f43 : f23;
}

Dense winograd_magnitudes(const KernelCase& c, NumericClass numeric_class) {
  const WinogradMatrices& m = matrices_of(numeric_class);
  const Shape src = c.spec.src, dst = c.spec.dst();
  const auto images = static_cast<int64_t>(c.src[0].size()) / src.elems();
  const std::vector<Square> weights = all_weights(c, m);
  Dense out(static_cast<size_t>(images * dst.elems()));
  for (int64_t tile = 0, rows = (dst.h + m.out - 1) / m.out, columns = (dst.w + m.out - 1) / m.out;
       tile < images * rows * columns; ++tile) {
    const int64_t image = tile / columns / rows;
    const int64_t top = tile / columns % rows * m.out, left = tile % columns * m.out;
    std::vector<Square> values;
    for (int64_t channel = 0; channel < src.c; ++channel) {
      values.push_back(sandwich(
          m.b, m.in, m.in, tile_of(c, m.in, image, top - c.spec.top, left - c.spec.left, channel)));
    }
    for (int64_t o = 0; o < dst.c; ++o) {
      Square sums(static_cast<size_t>(m.in * m.in));
      for (int64_t channel = 0; channel < src.c; ++channel) {
        const Square& w = weights[o * src.c + channel];
        for (size_t i = 0; i < sums.size(); ++i) sums[i] += w[i] * values[channel][i];
      }
      const Square y = sandwich(m.a, m.out, m.in, sums);
      for (int64_t i = 0; i < std::min<int64_t>(m.out, dst.h - top); ++i) {
        for (int64_t j = 0; j < std::min<int64_t>(m.out, dst.w - left); ++j) {
          const int64_t at = ((image * dst.h + top + i) * dst.w + left + j) * dst.c + o;
          double value = y[i * m.out + j];
          if (c.spec.bias) value += std::fabs(c.weights[1][o]);
          if (c.spec.epilogue.residual) value += std::fabs(c.residual[at]);
          out[at] = static_cast<float>(value);
        }
      }
    }
  }
  return out;
}

}  // namespace penult::testing
