#include "kernels/gemm/gemm.h"

#include <algorithm>
#include <cstring>

#include "engine/base/checked.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

constexpr uint64_t kPartAlignment = 64;

int64_t part_bytes(int64_t elems, size_t elem_bytes) {
  return static_cast<int64_t>(align_up(static_cast<uint64_t>(elems) * elem_bytes, kPartAlignment));
}

}  // namespace

GemmPacking GemmPacking::of(Isa isa, const GemmShape& shape, int64_t max_segments,
                            int64_t products) {
  GemmPacking packing{split_panels(isa, shape), shape.reduction, {}};
  const auto starts = static_cast<int64_t>(packing.panels.size());
  const int64_t channels = packing.panels.back();
  GemmLayout& at = packing.layout;
  at.panels = starts - 1;
  at.panels_at = sizeof(GemmLayout);
  at.bias_at = at.panels_at + part_bytes(starts, sizeof(int64_t));
  at.weights_at = at.bias_at + part_bytes(channels, sizeof(float));
  at.offsets_at = at.weights_at + part_bytes(channels * shape.reduction * products, sizeof(float));
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

void pack_gemm(const GemmPacking& packing, int64_t oc, std::span<const float> weights,
               std::span<const int64_t> source_index, std::span<const float> bias,
               std::byte* packed) {
  // Of every channel a line of weights at a time, so that each comes from memory once.
  constexpr int64_t kLine = 16;
  float* out = pack_all_but_weights(packing, oc, bias, packed);
  for (int64_t panel = 0; panel < packing.layout.panels; ++panel) {
    const int64_t first = packing.panels[panel], width = packing.panels[panel + 1] - first;
    for (int64_t begin = 0; begin < packing.reduction; begin += kLine) {
      const int64_t end = std::min(packing.reduction, begin + kLine);
      for (int64_t o = 0; o < width; ++o) {
        const bool is_padding = first + o >= oc;
        const float* const row = weights.data() + (is_padding ? 0 : first + o) * packing.reduction;
        for (int64_t k = begin; k < end; ++k)
          out[k * width + o] = is_padding ? 0.0F : row[source_index[k]];
      }
    }
    out += packing.reduction * width;
  }
}

GemmPart part_of_packed(const std::byte* packed, int64_t rows, int thread, int threads) {
  const GemmLayout& at = packed_layout(packed);
  const auto* panels = reinterpret_cast<const int64_t*>(packed + at.panels_at);
  // By rows while there are more of them than weights to read, else each thread reads only its own
  // half of the weights. A grain of 12 rows is whole tiles of most shapes.
  constexpr int64_t kGrain = 12;
  const int64_t channels = panels[at.panels];
  const bool by_rows = at.panels < threads || (rows >= channels && rows >= kGrain * threads);
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
