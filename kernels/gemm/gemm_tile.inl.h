#pragma once

// The micro-kernel: kRows rows times kVecs vectors of one panel, accumulated in registers.

#include <cstdint>

#include "kernels/gemm/gemm_params.h"
#include "kernels/simd/epilogue.inl.h"

namespace penult::kernels {
namespace {

struct TileArgs {
  const int64_t* offsets;
  int64_t segments, length;
  const float* weights;
  const float* bias;
  int64_t channel;  // of the panel's first output
  const Activation* activation;
  // This tile's share of the next panel: one line for each step of k.
  const char* prefetch;
  int64_t prefetch_step;  // bytes
};

// Addresses of the rows' next element. Where they all fit registers they are one that moves and
// fixed distances to it: six pointers would be six additions a step, a fifth of its instructions.
template <int kRows>
struct RowPointers {
  uintptr_t first;
  uintptr_t distance[kRows];

  PENULT_INLINE const float* at(int r) const {
    return reinterpret_cast<const float*>(r == 0 ? first : first + distance[r]);
  }
  PENULT_INLINE void advance() {
    first += sizeof(float);
    // Or compilers make six pointers of it, and load the next steps' src into more registers than
    // there are.
    asm volatile("" : "+r"(first) : : "memory");
  }
};

// Registers that a step of k fills: sums, the shorter side, and one of the longer.
template <int kRows, int kVecs>
constexpr int kHeld = kRows* kVecs + (kRows < kVecs ? kRows : kVecs) + 1;

// Steps of k in a turn of the loop. Who shares a core with another's work issues three instructions
// a cycle: of 12 multiply-adds, 6 cycles' work alone, a step of 6x16 in a loop of its own makes 26,
// and in turns of four 22 (docs/decisions/0015). That takes a register to spare: else gcc 12 spills
// sums at the end of each turn. With 32 registers tiles are taller, and the loop matters less.
template <class Vec, int kRows, int kVecs>
constexpr int kSteps = Vec::kRegisters == 16 && kHeld<kRows, kVecs> < 16 ? 4 : 1;

// acc[r][v] += src[r] * weights[v]. The shorter side is held in registers: with 12
// accumulators, holding four weight vectors would need a 17th register and spill an accumulator.
template <class Vec, int kRows, int kVecs>
PENULT_INLINE void multiply_step(Vec (&acc)[kRows][kVecs], const RowPointers<kRows>& src,
                                 const float* weights) {
  if constexpr (kVecs > kRows || kVecs == 4) {
    Vec x[kRows];
    PENULT_UNROLL
    for (int r = 0; r < kRows; ++r) x[r] = Vec::broadcast(src.at(r));
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) {
      const Vec w = Vec::load_kept(weights + v * Vec::kLanes);
      PENULT_UNROLL
      for (int r = 0; r < kRows; ++r) Vec::accumulate(acc[r][v], x[r], w);
    }
  } else {
    Vec w[kVecs];
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) w[v] = Vec::load_kept(weights + v * Vec::kLanes);
    PENULT_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const Vec x = Vec::broadcast(src.at(r));
      PENULT_UNROLL
      for (int v = 0; v < kVecs; ++v) Vec::accumulate(acc[r][v], x, w[v]);
    }
  }
}

// One row multiplies as fast as weights arrive, so it runs ahead in its own stream; several rows
// hide the fetch of the next panel instead: of four steps two ask for a line, since a panel passes
// many tiles.
template <class Vec, int kRows, int kVecs, int kCount>
PENULT_INLINE void prefetch_weights(const float* weights, const char*& next, int64_t step) {
  constexpr int kAhead = 2048;  // floats
  if constexpr (kRows == 1) {
    PENULT_UNROLL
    for (int f = 0; f < kCount * kVecs * Vec::kLanes; f += 16) {
      Vec::prefetch(reinterpret_cast<const char*>(weights) + (kAhead + f) * sizeof(float));
    }
  } else {
    PENULT_UNROLL
    for (int k = 0; k < kCount; k += 2) Vec::prefetch(next + k * step);
    next += kCount * step;
  }
}

// kCount steps of k.
template <class Vec, int kRows, int kVecs, int kCount>
PENULT_INLINE void multiply_steps(Vec (&acc)[kRows][kVecs], RowPointers<kRows>& src,
                                  const float*& weights, const char*& next, int64_t next_step) {
  prefetch_weights<Vec, kRows, kVecs, kCount>(weights, next, next_step);
  PENULT_UNROLL
  for (int k = 0; k < kCount; ++k) {
    multiply_step(acc, src, weights + k * kVecs * Vec::kLanes);
    src.advance();
  }
  weights += kCount * kVecs * Vec::kLanes;
}

// Addresses of rows, one after the other.
struct RowTable {
  const float** src;
  float** dst;
  const float** residual;  // null: none
};

template <class Vec, int kRows, int kVecs, class Activate>
PENULT_INLINE void store_tile(const Vec (&acc)[kRows][kVecs], float* const* dst,
                              const float* const* residual, int64_t channel,
                              const Activate& activate) {
  PENULT_UNROLL
  for (int r = 0; r < kRows; ++r) {
    float* const to = dst[r] + channel;
    const float* const add = residual ? residual[r] + channel : nullptr;
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) {
      Vec y = acc[r][v];
      if (residual) y = Vec::add(y, Vec::load(add + v * Vec::kLanes));
      Vec::store(to + v * Vec::kLanes, activate(y));
    }
  }
}

// `tiles` tiles, one below the other: where K is 16 or 24, a call for each would take a fifth of
// the time. The loop over K is not unrolled: clang would then hold more of src in registers than
// there are, and spill accumulators (tools/check_codegen.py looks).
template <class Vec, int kRows, int kVecs>
PENULT_NOINLINE void gemm_tiles(const TileArgs& args, const RowTable& table, int64_t tiles) {
  const float** src = table.src;
  float** dst = table.dst;
  const float** residual = table.residual;
  const char* next = args.prefetch;
  const int64_t next_step = args.prefetch_step;
  for (; tiles > 0; --tiles) {
    PENULT_UNROLL
    for (int r = 0; r < kRows; ++r) {
      Vec::prefetch_write(dst[r] + args.channel);
      if (residual) Vec::prefetch(residual[r] + args.channel);
    }
    Vec acc[kRows][kVecs];
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) {
      const Vec bias = Vec::load(args.bias + v * Vec::kLanes);
      PENULT_UNROLL
      for (int r = 0; r < kRows; ++r) acc[r][v] = bias;
    }
    const float* weights = args.weights;
    const int64_t* const offsets = args.offsets;
    const int64_t segments = args.segments;
    const int64_t length = args.length;
    RowPointers<kRows> rows;
    PENULT_UNROLL
    for (int r = 0; r < kRows; ++r)
      rows.distance[r] = reinterpret_cast<uintptr_t>(src[r]) - reinterpret_cast<uintptr_t>(src[0]);
    for (int64_t s = 0; s < segments; ++s) {
      rows.first = reinterpret_cast<uintptr_t>(src[0] + offsets[s]);
      int64_t k = length;
#pragma GCC unroll 1
      for (; k >= kSteps<Vec, kRows, kVecs>; k -= kSteps<Vec, kRows, kVecs>)
        multiply_steps<Vec, kRows, kVecs, kSteps<Vec, kRows, kVecs>>(acc, rows, weights, next,
                                                                     next_step);
#pragma GCC unroll 1
      for (; k > 0; --k) multiply_steps<Vec, kRows, kVecs, 1>(acc, rows, weights, next, next_step);
    }
    with_light_activation<Vec>(*args.activation, [&](const auto& activate) {
      store_tile(acc, dst, residual, args.channel, activate);
    });
    if (!is_light<Vec>(*args.activation)) {
      for (int r = 0; r < kRows; ++r)
        activate_stored<Vec>(*args.activation, dst[r] + args.channel, kVecs * Vec::kLanes);
    }
    src += kRows;
    dst += kRows;
    if (residual) residual += kRows;
  }
}

}  // namespace
}  // namespace penult::kernels
