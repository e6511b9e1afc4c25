#pragma once

// Baseline side of the product: packing and the static split over threads.

#include <span>
#include <vector>

#include "kernels/gemm/gemm_blocking.h"
#include "kernels/gemm/gemm_params.h"
#include "kernels/kernel.h"

namespace penult::kernels {

// Where the parts of packed data lie, in bytes from its start, each 64-byte aligned. It stands at
// the start itself, so that a run need not work it out again.
struct alignas(64) GemmLayout {
  int64_t panels;      // how many
  int64_t panels_at;   // int64_t each, and one more (GemmPart::panels)
  int64_t bias_at;     // float each channel
  int64_t weights_at;  // float
  int64_t offsets_at;  // int64_t each segment
  int64_t bytes;
};

// How the weights of products of one shape are packed: `rows` of a panel's channels, which is K or
// more, and room for the offsets of at most `max_segments`.
struct GemmPacking {
  std::vector<int64_t> panels;
  int64_t rows;
  GemmLayout layout;

  static GemmPacking of(Isa isa, const GemmShape& shape, int64_t rows, int64_t max_segments);
};

// The widest panel there is: four vectors of AVX-512.
constexpr int64_t kWidestPanel = 64;

// The weights of a panel: [width][channels][taps], of which `valid` are there; the rest are zeros.
// Null: they could not be read.
struct PanelWeights {
  const float* values;
  int64_t width, valid, channels, taps;
};

// out[(tap * tap_rows + channel - range.begin) * width + o] of the channels `range`.
void gather_panel(const PanelWeights& panel, Range range, int64_t tap_rows, float* out);

// Weights of (oc, channels, taps), panel by panel. K is (tap, channel), with packing.rows / taps
// rows for each tap: those beyond the channels are not written. An empty bias is zeros. The
// caller fills in the offsets.
struct GemmWeights {
  Weights& source;
  int64_t oc, channels, taps;

  PanelWeights panel(const std::vector<int64_t>& panels, size_t index) const;
};
void pack_gemm(const GemmPacking& packing, const GemmWeights& weights, std::span<const float> bias,
               std::byte* packed);

// The same for weights of another arrangement: everything else is written, and the place of the
// weights returned.
float* pack_all_but_weights(const GemmPacking& packing, int64_t oc, std::span<const float> bias,
                            std::byte* packed);

inline const GemmLayout& packed_layout(const std::byte* packed) {
  return *reinterpret_cast<const GemmLayout*>(packed);
}

// What pack_gemm wrote, and the rows and panels of part `thread` of `threads` of `rows` rows.
GemmPart part_of_packed(const std::byte* packed, int64_t rows, int thread, int threads);

void run_gemm(Isa isa, const GemmParams& params);

}  // namespace penult::kernels
