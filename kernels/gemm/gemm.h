#pragma once

// Baseline side of the product: packing and the static split over threads.

#include <span>

#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/gemm_params.h"

namespace penult::kernels {

// Packed data, each part 64-byte aligned: weights, bias, offsets of at most `max_segments`.
struct GemmPacking {
  int64_t width, panels, reduction, max_segments;

  static GemmPacking of(Isa isa, const GemmShape& shape, int64_t max_segments);
  size_t bias_at() const;     // bytes from the start; the weights are at 0
  size_t offsets_at() const;  // int64_t each
  size_t bytes() const;
};

// Weight (o, k) stands at weights[o * reduction + source_index[k]]; an empty bias is zeros.
void pack_gemm(const GemmPacking& packing, int64_t oc, std::span<const float> weights,
               std::span<const int64_t> source_index, std::span<const float> bias,
               std::byte* packed);

// Points the params at what pack_gemm wrote.
void use_packed(GemmParams& params, const GemmPacking& packing, const std::byte* packed);

// Sets row and panel ranges to part `thread` of `threads` of `rows` rows.
void split_gemm(GemmParams& params, int64_t rows, int64_t panels, int thread, int threads);

void run_gemm(Isa isa, const GemmParams& params);

}  // namespace penult::kernels
