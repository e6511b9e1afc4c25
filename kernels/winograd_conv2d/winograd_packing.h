#pragma once

// G w G' beforehand, for weights that are stored transformed. Baseline code.

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/gemm/gemm.h"
#include "kernels/simd/vec_scalar.h"
#include "kernels/winograd_conv2d/winograd_weights.inl.h"

namespace penult::kernels {
namespace {

// A part of a panel at a time: so many input channels that a product's part is whole lines, and all
// of it stays in the cache. One row more lies between products: a power of two apart they would all
// need the same set of the first-level cache.
constexpr int64_t kPackedChannels = 16;
constexpr int64_t kPackedRows = kPackedChannels + 1;

template <class Form>
struct PackingRoom {
  float taps[kTaps * kPackedRows * kWidestPanel];
  float products[Form::kIn * Form::kIn * kPackedRows * kWidestPanel];
};

// Where `floats` floats of each product go.
struct ProductsPlace {
  float* first;
  int64_t floats, step;  // floats from one product to the next

  void put(int product, const float* values) const {
    std::memcpy(first + product * step, values, static_cast<size_t>(floats) * sizeof(float));
  }
};

void transform_taps(PackingRoom<F23>& room, int64_t pitch, const ProductsPlace& to) {
  const PanelTaps<scalar::Vec> taps{room.taps, room.products, to.floats, pitch};
  const auto put_row = [&](int row) {
    for (int x = 0; x < F23::kIn; ++x) to.put(F23::kIn * row + x, taps.product(row, x));
  };
  taps.transform_outer();
  put_row(0);
  put_row(3);
  taps.transform_inner();
  put_row(1);
  put_row(2);
}

// One weight each of four output channels; the compiler makes pairs of it without AVX.
constexpr int64_t kLanes = 4;
using Doubles = double __attribute__((vector_size(kLanes * sizeof(double))));
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));

// In double, rounded once: its matrix has roots, thirds and sixths.
void transform_taps(PackingRoom<F43>& room, int64_t pitch, const ProductsPlace& to) {
  for (int64_t i = 0; i < to.floats; i += kLanes) {
    Doubles columns[F43::kIn][3];
    for (int x = 0; x < 3; ++x) {
      Doubles w[3], t[F43::kIn];
      for (int y = 0; y < 3; ++y) {
        Floats values;
        std::memcpy(&values, room.taps + (3 * y + x) * pitch + i, sizeof(values));
        w[y] = __builtin_convertvector(values, Doubles);
      }
      F43::weights(w, t);
      for (int y = 0; y < F43::kIn; ++y) columns[y][x] = t[y];
    }
    float* at = room.products + i;
    for (const auto& column : columns) {
      Doubles t[F43::kIn];
      F43::weights(column, t);
      for (int x = 0; x < F43::kIn; ++x, at += pitch) {
        const Floats rounded = __builtin_convertvector(t[x], Floats);
        std::memcpy(at, &rounded, sizeof(rounded));
      }
    }
  }
  for (int product = 0; product < F43::kIn * F43::kIn; ++product)
    to.put(product, room.products + product * pitch);
}

// [panel][product] or [product][panel], then [ic][channels of the panel].
template <class Form>
void pack_products(const GemmWeights& weights, const std::vector<int64_t>& panels, bool panel_first,
                   float* out) {
  constexpr int64_t kProducts = int64_t{Form::kIn} * Form::kIn;
  const auto room = std::make_unique<PackingRoom<Form>>();
  const int64_t ic = weights.channels;
  for (size_t p = 0; p + 1 < panels.size(); ++p) {
    const PanelWeights panel = weights.panel(panels, p);
    if (panel.values == nullptr) return;
    const int64_t width = panel.width;
    float* const to = out + panels[p] * ic * (panel_first ? kProducts : 1);
    const int64_t step = ic * (panel_first ? width : panels.back());
    for (int64_t c = 0; c < ic; c += kPackedChannels) {
      const int64_t end = std::min(c + kPackedChannels, ic);
      gather_panel(panel, {c, end}, kPackedRows, room->taps);
      transform_taps(*room, kPackedRows * width, {to + c * width, (end - c) * width, step});
    }
  }
}

}  // namespace
}  // namespace penult::kernels
