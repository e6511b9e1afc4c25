#include "kernels/gemm/gemm.h"

#include "engine/base/checked.h"

namespace penult::kernels {
namespace {

constexpr uint64_t kPartAlignment = 64;

size_t part_bytes(int64_t elems, size_t elem_bytes) {
  return align_up(static_cast<uint64_t>(elems) * elem_bytes, kPartAlignment);
}

}  // namespace

GemmPacking GemmPacking::of(Isa isa, const GemmShape& shape, int64_t max_segments) {
  const int64_t width = panel_width(isa, shape);
  return {width, round_up(shape.oc, width) / width, shape.reduction, max_segments};
}

size_t GemmPacking::bias_at() const {
  return part_bytes(panels * width * reduction, sizeof(float));
}

size_t GemmPacking::offsets_at() const {
  return bias_at() + part_bytes(panels * width, sizeof(float));
}

size_t GemmPacking::bytes() const {
  return offsets_at() + part_bytes(max_segments, sizeof(int64_t));
}

void pack_gemm(const GemmPacking& packing, int64_t oc, std::span<const float> weights,
               std::span<const int64_t> source_index, std::span<const float> bias,
               std::byte* packed) {
  const int64_t o_stride = packing.reduction;
  auto* out = reinterpret_cast<float*>(packed);
  auto* out_bias = reinterpret_cast<float*>(packed + packing.bias_at());
  for (int64_t first = 0; first < packing.panels * packing.width; first += packing.width) {
    for (int64_t k = 0; k < packing.reduction; ++k) {
      for (int64_t o = first; o < first + packing.width; ++o)
        *out++ = o < oc ? weights[o * o_stride + source_index[k]] : 0.0F;
    }
    for (int64_t o = first; o < first + packing.width; ++o)
      *out_bias++ = o < oc && !bias.empty() ? bias[o] : 0.0F;
  }
}

void use_packed(GemmParams& params, const GemmPacking& packing, const std::byte* packed) {
  params.offsets = reinterpret_cast<const int64_t*>(packed + packing.offsets_at());
  params.weights = reinterpret_cast<const float*>(packed);
  params.bias = reinterpret_cast<const float*>(packed + packing.bias_at());
  params.panel_width = packing.width;
}

void split_gemm(GemmParams& params, int64_t rows, int64_t panels, int thread, int threads) {
  // By rows while there are more of them than weights to read, else each thread reads only its own
  // half of the weights. A grain of 12 rows is whole tiles of every shape.
  constexpr int64_t kGrain = 12;
  const bool by_rows =
      panels < threads || (rows >= panels * params.panel_width && rows >= kGrain * threads);
  const Range row_part = by_rows ? part_of(rows, thread, threads, kGrain) : Range{0, rows};
  const Range panel_part = by_rows ? Range{0, panels} : part_of(panels, thread, threads);
  params.row_begin = row_part.begin;
  params.row_end = row_part.end;
  params.panel_begin = panel_part.begin;
  params.panel_end = panel_part.end;
}

void run_gemm(Isa isa, const GemmParams& params) {
  switch (isa) {
    case Isa::kScalar:
      return gemm_f32_scalar(params);
    case Isa::kAvx2:
      return gemm_f32_avx2(params);
  }
}

}  // namespace penult::kernels
