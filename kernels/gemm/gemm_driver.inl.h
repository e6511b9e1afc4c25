#pragma once

// Loop order: chunk of rows > panel > tile of rows. A panel stays in L1 while the chunk's rows
// pass, the chunk stays in L2 while the panels pass; the sum over K is never split.

#include "kernels/gemm/gemm_tile.inl.h"
#include "kernels/simd/rows.inl.h"

namespace penult::kernels {
namespace {

using TileFn = void (*)(const TileArgs&, const RowTable&, int64_t);

// Tiles of 1..kMaxRows rows by kVecs vectors. An even split of the rows needs every height: 49 rows
// are 6,5,5,... and never eight times 6 and one lonely row, which would run at a sixth of the
// speed.
template <class Vec, int kMaxRows, int kVecs>
struct TileFamily {
  static TileFn pick(int64_t rows, Loop loop) {
    if constexpr (kMaxRows > 1) {
      if (rows < kMaxRows) return TileFamily<Vec, kMaxRows - 1, kVecs>::pick(rows, loop);
    }
    if constexpr (!kOneLoop<Vec>) {
      if (loop == Loop::kDense) return gemm_tiles<Vec, kMaxRows, kVecs, Loop::kDense>;
      if (loop == Loop::kThrees) return gemm_tiles<Vec, kMaxRows, kVecs, Loop::kThrees>;
    }
    return gemm_tiles<Vec, kMaxRows, kVecs, Loop::kAny>;
  }
};

inline RowTable row_table(const GemmParams& params) {
  const auto src = static_cast<const float**>(params.row_table);
  const auto dst = const_cast<float**>(src) + params.chunk_rows;
  const auto residual = const_cast<const float**>(dst) + params.chunk_rows;
  return {src, dst, params.residual ? residual : nullptr};
}

// Addresses of rows [first, first + count).
inline void fill_rows(const GemmParams& params, int64_t first, int64_t count,
                      const RowTable& table) {
  int64_t x = first % params.ow, row = first / params.ow;
  for (int64_t m = 0; m < count; ++row, x = 0) {
    const int64_t begin = m, in_row = params.ow - x;
    const int64_t end = count - m < in_row ? count : m + in_row;
    const auto fill = [&](auto base, const Strides& strides, auto* out) {
      auto p = base + row_start(strides, row / params.oh, row % params.oh) + x * strides.pixel;
      for (m = begin; m < end; ++m, p += strides.pixel) out[m] = p;
    };
    fill(params.src, params.src_rows, table.src);
    fill(params.dst, params.dst_rows, table.dst);
    if (table.residual) fill(params.residual, params.residual_rows, table.residual);
  }
}

// Multiplies the chunk's rows by their image's factors, and lets the table point at the results.
// Whole vectors: rows, factors and results are padded.
template <class Vec>
void scale_rows(const GemmParams& params, int64_t first, int64_t count, const RowTable& table) {
  const int64_t reduction = params.segments * params.length;
  float* out = params.scaled_rows;
  for (int64_t m = 0; m < count; ++m, out += params.scaled_stride) {
    const int64_t image = (first + m) / (params.oh * params.ow);
    const float* scale = params.src_scale + image * params.scale_image_stride;
    for (int64_t k = 0; k < reduction; k += Vec::kLanes)
      Vec::store(out + k, Vec::mul(Vec::load(table.src[m] + k), Vec::load(scale + k)));
    table.src[m] = out;
  }
}

// The rows of a table with one panel. args.prefetch: where the next panel's weights start, of
// `next_width` channels; a share of them, rounded up, is fetched by each tile.
template <class Vec, int kMaxRows, int kVecs>
void run_tiles(TileArgs args, const RowTable& table, int64_t rows, int64_t next_width) {
  const int64_t reduction = args.segments * args.length;
  const int64_t tiles = (rows + kMaxRows - 1) / kMaxRows;
  const int64_t height = rows / tiles, taller = rows % tiles;  // the first ones have height + 1
  const Loop loop = choose_loop<Vec>(args);
  const TileFn tall = taller ? TileFamily<Vec, kMaxRows, kVecs>::pick(height + 1, loop) : nullptr;
  const TileFn low = TileFamily<Vec, kMaxRows, kVecs>::pick(height, loop);
  args.prefetch_step = (next_width * static_cast<int64_t>(sizeof(float)) + tiles - 1) / tiles;
  if (taller) tall(args, table, taller);
  const int64_t done = taller * (height + 1);
  args.prefetch += args.prefetch_step * reduction * taller;
  low(args, {table.src + done, table.dst + done, table.residual ? table.residual + done : nullptr},
      tiles - taller);
}

using TilesFn = void (*)(TileArgs, const RowTable&, int64_t, int64_t);

// The code for a panel of `vecs` vectors.
template <class Vec, GemmTiles kTiles, int kVecs = 1>
TilesFn pick_tiles(int64_t vecs) {
  constexpr int kMaxRows = kTiles.rows[kVecs - 1];
  if constexpr (kMaxRows > 0) {
    if (vecs == kVecs) return run_tiles<Vec, kMaxRows, kVecs>;
  }
  if constexpr (kVecs < 4) return pick_tiles<Vec, kTiles, kVecs + 1>(vecs);
  return nullptr;  // not reached: split_panels (gemm_blocking.h) makes no other
}

// One panel over one chunk of `rows` rows. `next_panel` is what the cache should hold afterwards.
template <class Vec, GemmTiles kTiles>
void run_panel(const GemmParams& params, const RowTable& table, int64_t rows, int64_t panel,
               int64_t next_panel) {
  const GemmPart& part = params.part;
  const int64_t reduction = params.segments * params.length;
  const int64_t channel = part.panels[panel], next_channel = part.panels[next_panel];
  const TileArgs args{
      .offsets = part.offsets,
      .segments = params.segments,
      .length = params.length,
      .weights = part.weights + channel * reduction,
      .bias = part.bias + channel,
      .channel = channel,
      .activation = &params.activation,
      .prefetch = reinterpret_cast<const char*>(part.weights + next_channel * reduction),
      .prefetch_step = 0};
  const int64_t width = part.panels[panel + 1] - channel;
  pick_tiles<Vec, kTiles>(width / Vec::kLanes)(args, table, rows,
                                               part.panels[next_panel + 1] - next_channel);
}

template <class Vec, GemmTiles kTiles>
void run_gemm(const GemmParams& params) {
  static_assert(kTiles.lanes == Vec::kLanes, "the tiles belong to another vector");
  const GemmPart& part = params.part;
  const RowTable table = row_table(params);
  const int64_t total = part.row_end - part.row_begin;
  const int64_t chunks = (total + params.chunk_rows - 1) / params.chunk_rows;
  for (int64_t chunk = 0; chunk < chunks; ++chunk) {
    const int64_t begin = part.row_begin + total * chunk / chunks;
    const int64_t rows = part.row_begin + total * (chunk + 1) / chunks - begin;
    fill_rows(params, begin, rows, table);
    if (params.src_scale) scale_rows<Vec>(params, begin, rows, table);
    for (int64_t panel = part.panel_begin; panel < part.panel_end; ++panel) {
      const int64_t next = panel + 1 < part.panel_end ? panel + 1 : part.panel_begin;
      run_panel<Vec, kTiles>(params, table, rows, panel, next);
    }
  }
}

}  // namespace
}  // namespace penult::kernels
