#pragma once

// Blocks of tiles: their pixels are transformed once, then multiplied with every panel. Either all
// products of a panel before the next panel, or a product for all panels before the next product.

#include "kernels/gemm/gemm_driver.inl.h"
#include "kernels/simd/rows.inl.h"
#include "kernels/winograd_conv2d/winograd_conv2d_params.h"
#include "kernels/winograd_conv2d/winograd_transform.inl.h"
#include "kernels/winograd_conv2d/winograd_weights.inl.h"

namespace penult::kernels {
namespace {

// values[product] of one tile, all channels. Lanes beyond ic become garbage that nobody reads.
template <class Vec, class Form>
PENULT_NOINLINE void transform_src(const WinogradParams& params, const float* src, float* values) {
  constexpr int kIn = Form::kIn;
  Multiples<kIn> rows(params.src_strides.row), products(params.value_stride);
  const int64_t pixel = params.src_strides.pixel, row_of_products = kIn * params.value_stride;
  for (int64_t c = 0; c < params.ic; c += Vec::kLanes) {
    Vec columns[kIn][kIn];
    const float* from = src + c;
    PENULT_UNROLL
    for (int x = 0; x < kIn; ++x, from += pixel) {
      Vec d[kIn], t[kIn];
      rows.hide();
      PENULT_UNROLL
      for (int y = 0; y < kIn; ++y) d[y] = Vec::load(behind(from, rows[y]));
      Form::src(d, t);
      PENULT_UNROLL
      for (int y = 0; y < kIn; ++y) columns[y][x] = t[y];
    }
    float* to = values + c;
    PENULT_UNROLL
    for (int y = 0; y < kIn; ++y, to += row_of_products) {
      Vec t[kIn];
      Form::src(columns[y], t);
      products.hide();
      PENULT_UNROLL
      for (int x = 0; x < kIn; ++x) Vec::store(behind(to, products[x]), t[x]);
    }
  }
}

// Where a tile stands in dst, and how much of it lies inside.
struct TilePlace {
  int64_t image, y, x, rows, columns;
};

PENULT_INLINE TilePlace place_of(const WinogradParams& params, int64_t tile, int size) {
  const int64_t y = tile / params.tiles_x % params.tiles_y * size;
  const int64_t x = tile % params.tiles_x * size;
  const int64_t rows = params.oh - y < size ? params.oh - y : size;
  const int64_t columns = params.ow - x < size ? params.ow - x : size;
  return {tile / params.tiles_x / params.tiles_y, y, x, rows, columns};
}

PENULT_INLINE int64_t offset_of(const Strides& strides, const TilePlace& place) {
  return place.image * strides.image + place.y * strides.row + place.x * strides.pixel;
}

// One vector of channels of one tile: y = A' sums A + bias.
template <class Vec, class Form>
PENULT_INLINE void transform_sums(const float* sums, int64_t stride, Vec bias,
                                  Vec (&y)[Form::kOut][Form::kOut]) {
  constexpr int kIn = Form::kIn, kOut = Form::kOut;
  Multiples<kIn> rows(kIn * stride);
  Vec columns[kOut][kIn];
  PENULT_UNROLL
  for (int x = 0; x < kIn; ++x, sums += stride) {
    Vec m[kIn], t[kOut];
    rows.hide();
    PENULT_UNROLL
    for (int i = 0; i < kIn; ++i) m[i] = Vec::load(behind(sums, rows[i]));
    Form::dst(m, t);
    PENULT_UNROLL
    for (int i = 0; i < kOut; ++i) columns[i][x] = t[i];
  }
  PENULT_UNROLL
  for (int i = 0; i < kOut; ++i) {
    Form::dst(columns[i], y[i]);
    PENULT_UNROLL
    for (int j = 0; j < kOut; ++j) y[i][j] = Vec::add(y[i][j], bias);
  }
}

// Where transform_dst reads and writes: channel 0 of the tile's first pixel.
struct TileEnds {
  const float* sums;
  const float* bias;
  const float* residual;  // null: none
  float* dst;
};

// One vector of channels. Whole tiles without a residual are most of them, and 16 stores cost
// little more than 16 questions.
template <class Vec, class Form, bool kPlain, class Activate>
PENULT_INLINE void transform_vector(const WinogradParams& params, const TilePlace& place,
                                    const TileEnds& at, int64_t c, const Activate& activate) {
  constexpr int kOut = Form::kOut;
  Vec y[kOut][kOut];
  transform_sums<Vec, Form>(at.sums + c, params.sum_stride, Vec::load(at.bias + c), y);
  Multiples<kOut> pixels(params.dst_strides.pixel);
  float* dst = at.dst + c;
  PENULT_UNROLL
  for (int i = 0; i < kOut; ++i, dst += params.dst_strides.row) {
    if (!kPlain && i >= place.rows) break;
    pixels.hide();
    const float* const residual =
        kPlain || !at.residual ? nullptr : at.residual + i * params.residual_strides.row + c;
    PENULT_UNROLL
    for (int j = 0; j < kOut; ++j) {
      if (!kPlain && j >= place.columns) break;
      Vec value = y[i][j];
      if (residual)
        value = Vec::add(value, Vec::load(residual + j * params.residual_strides.pixel));
      Vec::store(behind(dst, pixels[j]), activate(value));
    }
  }
}

// Channels [channel, channel + width) of one tile, from `sums` of the first of them.
template <class Vec, class Form>
PENULT_NOINLINE void transform_dst(const WinogradParams& params, const TilePlace& place,
                                   const float* sums, int64_t channel, int64_t width) {
  const TileEnds at{sums, params.part.bias + channel,
                    params.residual
                        ? params.residual + offset_of(params.residual_strides, place) + channel
                        : nullptr,
                    params.dst + offset_of(params.dst_strides, place) + channel};
  const bool plain = !at.residual && place.rows == Form::kOut && place.columns == Form::kOut;
  with_light_activation<Vec>(params.activation, [&](const auto& activate) {
    if (plain) {
      for (int64_t c = 0; c < width; c += Vec::kLanes)
        transform_vector<Vec, Form, true>(params, place, at, c, activate);
    } else {
      for (int64_t c = 0; c < width; c += Vec::kLanes)
        transform_vector<Vec, Form, false>(params, place, at, c, activate);
    }
  });
  if (is_light<Vec>(params.activation)) return;
  for (int64_t i = 0; i < place.rows; ++i)
    for (int64_t j = 0; j < place.columns; ++j)
      activate_stored<Vec>(params.activation,
                           at.dst + i * params.dst_strides.row + j * params.dst_strides.pixel,
                           width);
}

// Sums start from zero: the bias belongs to pixels, not to products.
constexpr float kNoBias[64] = {};
constexpr Activation kNoActivation = {};

template <class Vec, GemmTiles kTiles, class Form>
struct WinogradBlock {
  enum : int { kProducts = Form::kIn * Form::kIn };
  const WinogradParams& params;
  int64_t begin, tiles;
  // The rows of each product: a tile each.
  const float* values[kMaxBlockTiles];
  float* sums[kMaxBlockTiles];

  void transform_pixels() {
    for (int64_t t = 0; t < tiles; ++t) {
      const TilePlace place = place_of(params, begin + t, Form::kOut);
      float* const to = params.values + t * params.value_pitch;
      transform_src<Vec, Form>(params, params.src + offset_of(params.src_strides, place), to);
      values[t] = to;
      sums[t] = params.sums + t * params.sum_pitch;
    }
  }

  int64_t width(int64_t panel) const {
    return params.part.panels[panel + 1] - params.part.panels[panel];
  }

  // `at`: of the panel's first sum. Afterwards the cache should hold as many floats of `next`.
  void multiply(int64_t panel, int product, const float* weights, const float* next, int64_t at) {
    const TileArgs args{.offsets = params.part.offsets + product,
                        .segments = 1,
                        .length = params.ic,
                        .weights = weights,
                        .bias = kNoBias,
                        .channel = product * params.sum_stride + at,
                        .activation = &kNoActivation,
                        .prefetch = reinterpret_cast<const char*>(next),
                        .prefetch_step = 0};
    pick_tiles<Vec, kTiles>(width(panel) / Vec::kLanes)(args, {values, sums, nullptr}, tiles,
                                                        width(panel));
  }

  // By transformed weights, which lie in the order of the loops.
  void multiply_stored(int64_t panel, int product, int64_t at) {
    const GemmPart& part = params.part;
    const int64_t panel_floats = width(panel) * params.ic;
    const int64_t all = part.panels[params.all_panels] * params.ic;
    const int64_t before = part.panels[panel] * params.ic;
    const float* const weights =
        part.weights +
        (params.panel_first ? before * kProducts + product * panel_floats : product * all + before);
    multiply(panel, product, weights, weights + panel_floats, at);
  }

  void transform_panel(int64_t panel, int64_t at) const {
    for (int64_t t = 0; t < tiles; ++t) {
      transform_dst<Vec, Form>(params, place_of(params, begin + t, Form::kOut), sums[t] + at,
                               params.part.panels[panel], width(panel));
    }
  }

  void run_panel_first() {
    for (int64_t panel = params.part.panel_begin; panel < params.part.panel_end; ++panel) {
      for (int product = 0; product < kProducts; ++product) multiply_stored(panel, product, 0);
      transform_panel(panel, 0);
    }
  }

  void run_from_taps() {
    const GemmPart& part = params.part;
    for (int64_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
      const int64_t next = panel + 1 < part.panel_end ? panel + 1 : part.panel_begin;
      const int64_t rows = params.tap_rows;
      const PanelTaps<Vec> taps{part.weights + kTaps * part.panels[panel] * rows,
                                params.transformed, width(panel) * params.ic, width(panel) * rows};
      const float* const next_taps = part.weights + kTaps * part.panels[next] * rows;
      // Nine of the products fetch a tap each of the next panel.
      const auto multiply_row = [&](int row, int done) {
        for (int column = 0; column < 4; ++column, ++done) {
          const float* const weights = taps.product(row, column);
          multiply(panel, 4 * row + column, weights,
                   done < kTaps ? next_taps + done * width(next) * rows : weights, 0);
        }
      };
      taps.transform_outer();
      multiply_row(0, 0);
      multiply_row(3, 4);
      taps.transform_inner();
      multiply_row(1, 8);
      multiply_row(2, 12);
      transform_panel(panel, 0);
    }
  }

  void run_product_first() {
    const int64_t first = params.part.panels[params.part.panel_begin];
    for (int product = 0; product < kProducts; ++product)
      for (int64_t panel = params.part.panel_begin; panel < params.part.panel_end; ++panel)
        multiply_stored(panel, product, params.part.panels[panel] - first);
    for (int64_t panel = params.part.panel_begin; panel < params.part.panel_end; ++panel)
      transform_panel(panel, params.part.panels[panel] - first);
  }
};

template <class Vec, GemmTiles kTiles, class Form>
void run_winograd(const WinogradParams& params) {
  const int64_t total = params.part.row_end - params.part.row_begin;
  const int64_t blocks = (total + params.block_tiles - 1) / params.block_tiles;
  for (int64_t b = 0; b < blocks; ++b) {
    const int64_t begin = params.part.row_begin + total * b / blocks;
    const int64_t end = params.part.row_begin + total * (b + 1) / blocks;
    WinogradBlock<Vec, kTiles, Form> block{params, begin, end - begin, {}, {}};
    block.transform_pixels();
    if constexpr (Form::kTakesTaps) {
      if (params.from_taps) {
        block.run_from_taps();
        continue;
      }
    }
    if (params.panel_first) {
      block.run_panel_first();
    } else {
      block.run_product_first();
    }
  }
}

}  // namespace
}  // namespace penult::kernels
