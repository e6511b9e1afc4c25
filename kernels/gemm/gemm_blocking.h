#pragma once

// How the output channels of a product are cut into panels, and how its rows are chunked: data,
// with the reason beside it. None of it changes a bit of the result.

#include <cstdint>
#include <vector>

#include "engine/base/cpu_features.h"
#include "kernels/gemm/gemm_params.h"

namespace penult::kernels {

struct GemmShape {
  int64_t reduction;  // K
  int64_t oc;
};

const GemmTiles& gemm_tiles(Isa isa);

// First channels of the panels, and behind them the end of the last one: at least oc, at most oc
// rounded up to kChannelPad.
std::vector<int64_t> split_panels(Isa isa, const GemmShape& shape);

// Rows in a chunk, of which each brings so many new bytes of src into the cache.
int64_t chunk_rows(int64_t src_bytes_per_row);

}  // namespace penult::kernels
