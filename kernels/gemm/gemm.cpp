#include "kernels/gemm/gemm.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <algorithm>
#include <cstring>

#include "engine/base/checked.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

constexpr uint64_t kPartAlignment = 64;

// Output channels gathered at a time. Panels are whole vectors, of at least so many.
constexpr int64_t kLanes = 4;
using Floats = float __attribute__((vector_size(kLanes * sizeof(float))));

int64_t part_bytes(int64_t elems, size_t elem_bytes) {
  return static_cast<int64_t>(align_up(static_cast<uint64_t>(elems) * elem_bytes, kPartAlignment));
}

}  // namespace

static_assert(kWidestPanel == 4 * kGemmTilesAvx512.lanes);

GemmPacking GemmPacking::of(Isa isa, const GemmShape& shape, int64_t rows, int64_t max_segments) {
  GemmPacking packing{split_panels(isa, shape), rows, {}};
  const auto starts = static_cast<int64_t>(packing.panels.size());
  const int64_t channels = packing.panels.back();
  GemmLayout& at = packing.layout;
  at.panels = starts - 1;
  at.panels_at = sizeof(GemmLayout);
  at.bias_at = at.panels_at + part_bytes(starts, sizeof(int64_t));
  at.weights_at = at.bias_at + part_bytes(channels, sizeof(float));
  at.offsets_at = at.weights_at + part_bytes(channels * rows, sizeof(float));
  at.bytes = at.offsets_at + part_bytes(max_segments, sizeof(int64_t));
  return packing;
}

float* pack_all_but_weights(const GemmPacking& packing, int64_t oc, std::span<const float> bias,
                            std::byte* packed) {
  const GemmLayout& at = packing.layout;
  std::memcpy(packed, &at, sizeof(at));
  std::memcpy(packed + at.panels_at, packing.panels.data(),
              packing.panels.size() * sizeof(packing.panels[0]));
  auto* out_bias = reinterpret_cast<float*>(packed + at.bias_at);
  for (int64_t o = 0; o < packing.panels.back(); ++o)
    out_bias[o] = o < oc && !bias.empty() ? bias[o] : 0.0F;
  return reinterpret_cast<float*>(packed + at.weights_at);
}

namespace {

// Rows of a panel at a time: output channel o's weights start at from[o].
struct PanelRows {
  const float* from[kWidestPanel];
  int64_t width, valid;  // channels, and those below oc

  // Weight `i` of the channels [o, o + kLanes).
  Floats column(int64_t o, int64_t i) const {
    Floats values = {from[o][i], from[o + 1][i], from[o + 2][i], from[o + 3][i]};
    for (int64_t lane = std::max<int64_t>(0, valid - o); lane < kLanes; ++lane) values[lane] = 0.0F;
    return values;
  }
};

Floats load(const float* p) {
  Floats values;
  std::memcpy(&values, p, sizeof(values));
  return values;
}

// Writes past the caches: packed weights are more than they hold, and to fetch a line only to
// replace it would be a third of packing's traffic.
template <bool kPastCaches>
void put(float* to, Floats values) {
#if defined(__SSE__)
  if constexpr (kPastCaches) return _mm_stream_ps(to, values);
#endif
  std::memcpy(to, &values, sizeof(values));
}

// Four weights of four channels.
template <bool kPastCaches>
void put_square(const PanelRows& rows, int64_t o, int64_t i, float* to) {
  const Floats a = load(rows.from[o] + i), b = load(rows.from[o + 1] + i);
  const Floats c = load(rows.from[o + 2] + i), d = load(rows.from[o + 3] + i);
  const Floats ab = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const Floats cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const Floats ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const Floats cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  put<kPastCaches>(to, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
  put<kPastCaches>(to + rows.width, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
  put<kPastCaches>(to + 2 * rows.width, __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5));
  put<kPastCaches>(to + 3 * rows.width, __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7));
}

template <bool kPastCaches>
void gather(const PanelWeights& panel, Range range, int64_t tap_rows, float* out) {
  const auto [values, width, valid, all_channels, taps] = panel;
  PanelRows rows{{}, width, valid};
  for (int64_t o = 0; o < width; ++o)
    rows.from[o] = values + (std::min(o, valid - 1) * all_channels + range.begin) * taps;
  const int64_t channels = range.end - range.begin;
  int64_t c = 0;
  if (taps == 1 && valid == width) {
    for (; c + kLanes <= channels; c += kLanes)
      for (int64_t o = 0; o < width; o += kLanes)
        put_square<kPastCaches>(rows, o, c, out + c * width + o);
  }
  for (int64_t tap = 0; tap < taps; ++tap) {
    float* const to = out + tap * tap_rows * width;
    for (int64_t i = c; i < channels; ++i)
      for (int64_t o = 0; o < width; o += kLanes)
        put<kPastCaches>(to + i * width + o, rows.column(o, i * taps + tap));
  }
}

}  // namespace

void gather_panel(const PanelWeights& panel, Range range, int64_t tap_rows, float* out) {
  gather<false>(panel, range, tap_rows, out);
}

PanelWeights GemmWeights::panel(const std::vector<int64_t>& panels, size_t index) const {
  const Range range{panels[index], std::min(panels[index + 1], oc)};
  return {source.channels(range).data(), panels[index + 1] - range.begin, range.end - range.begin,
          channels, taps};
}

void pack_gemm(const GemmPacking& packing, const GemmWeights& weights, std::span<const float> bias,
               std::byte* packed) {
  // So many channels at a time that of one output channel they are whole lines, and of a panel in
  // the first-level cache until all taps are done.
  constexpr int64_t kChannels = 16;
  float* out = pack_all_but_weights(packing, weights.oc, bias, packed);
  const int64_t tap_rows = packing.rows / weights.taps;
  for (size_t p = 0; p + 1 < packing.panels.size(); ++p) {
    const PanelWeights panel = weights.panel(packing.panels, p);
    if (panel.values == nullptr) return;
    for (int64_t c = 0; c < weights.channels; c += kChannels) {
      gather<true>(panel, {c, std::min(c + kChannels, weights.channels)}, tap_rows,
                   out + c * panel.width);
    }
    out += packing.rows * panel.width;
  }
#if defined(__SSE__)
  _mm_sfence();  // movntps has an order of its own
#endif
}

GemmPart part_of_packed(const std::byte* packed, int64_t rows, int thread, int threads) {
  const GemmLayout& at = packed_layout(packed);
  const auto* panels = reinterpret_cast<const int64_t*>(packed + at.panels_at);
  // By rows while there are more of them than weights to read, or while all weights fit half of an
  // L2: what is split by rows before and after then stays in the cache of its processor. Else each
  // thread reads only its own half of the weights. A grain of 12 rows is whole tiles of most
  // shapes.
  constexpr int64_t kGrain = 12, kFewWeights = 256 * 1024;
  const int64_t channels = panels[at.panels];
  const bool few_weights = at.offsets_at - at.weights_at <= kFewWeights;
  const bool by_rows =
      at.panels < threads || ((few_weights || rows >= channels) && rows >= kGrain * threads);
  const Range row_part = by_rows ? part_of(rows, thread, threads, kGrain) : Range{0, rows};
  const Range panel_part = by_rows ? Range{0, at.panels} : part_of(at.panels, thread, threads);
  return {.panels = panels,
          .bias = reinterpret_cast<const float*>(packed + at.bias_at),
          .weights = reinterpret_cast<const float*>(packed + at.weights_at),
          .offsets = reinterpret_cast<const int64_t*>(packed + at.offsets_at),
          .row_begin = row_part.begin,
          .row_end = row_part.end,
          .panel_begin = panel_part.begin,
          .panel_end = panel_part.end};
}

void run_gemm(Isa isa, const GemmParams& params) {
  switch (isa) {
    case Isa::kScalar:
      return gemm_f32_scalar(params);
    case Isa::kPortable16:
      return gemm_f32_portable16(params);
    case Isa::kAvx2:
      return gemm_f32_avx2(params);
    case Isa::kAvx512:
      return gemm_f32_avx512(params);
  }
}

}  // namespace penult::kernels
