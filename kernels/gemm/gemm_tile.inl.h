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

  // Of row r, the element `kStep` steps ahead.
  template <class Vec, int kStep>
  PENULT_INLINE Vec broadcast(int r) const {
    return r == 0 ? Vec::template broadcast_at<kStep>(first, 0)
                  : Vec::template broadcast_at<kStep>(first, distance[r]);
  }
  // Or compilers make six pointers of it, and load the next steps' src into more registers than
  // there are.
  PENULT_INLINE void hold() { asm volatile("" : "+r"(first) : : "memory"); }
};

// Registers that a step of k fills: sums, the shorter side, and one of the longer.
template <int kRows, int kVecs>
constexpr int kHeld = kRows* kVecs + (kRows < kVecs ? kRows : kVecs) + 1;

// Steps of k in a turn of the loop. Who shares a core with another's work issues three instructions
// a cycle: of 12 multiply-adds, 6 cycles' work alone, a step of 6x16 in a loop of its own makes 26,
// and in turns of eight 21 (docs/decisions/0017). With 32 registers tiles are taller, and the loop
// matters less. Sanitizers take minutes for long turns.
#ifdef PENULT_SANITIZED
constexpr int kLongTurn = 2;
#else
constexpr int kLongTurn = 8;
#endif
template <class Vec>
constexpr int kSteps = Vec::kRegisters == 16 ? kLongTurn : 1;

// acc[r][v] += src[r] * weights[v]. The shorter side is held in registers: with 12
// accumulators, holding four weight vectors would need a 17th register and spill an accumulator.
template <class Vec, int kStep, int kRows, int kVecs>
PENULT_INLINE void multiply_step(Vec (&acc)[kRows][kVecs], const RowPointers<kRows>& src,
                                 const float* weights) {
  if constexpr (kVecs > kRows || kVecs == 4) {
    Vec x[kRows];
    PENULT_UNROLL
    for (int r = 0; r < kRows; ++r) x[r] = src.template broadcast<Vec, kStep>(r);
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
      const Vec x = src.template broadcast<Vec, kStep>(r);
      PENULT_UNROLL
      for (int v = 0; v < kVecs; ++v) Vec::accumulate(acc[r][v], x, w[v]);
    }
  }
}

// One row multiplies as fast as weights arrive, so it runs ahead in its own stream; several rows
// hide the fetch of the next panel instead: the first step of a turn and each fourth one ask for a
// line. That is all lines where four tiles of 16 channels pass a panel, or eight of 32.
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
    for (int k = 0; k < kCount; k += 4) Vec::prefetch(next + k * step);
    next += kCount * step;
  }
}

// Steps kStep to kCount of a turn.
template <class Vec, int kStep, int kCount, int kRows, int kVecs>
PENULT_INLINE void multiply_steps(Vec (&acc)[kRows][kVecs], RowPointers<kRows>& src,
                                  const float* weights) {
  multiply_step<Vec, kStep>(acc, src, weights + kStep * kVecs * Vec::kLanes);
  src.hold();
  if constexpr (kStep + 1 < kCount) multiply_steps<Vec, kStep + 1, kCount>(acc, src, weights);
}

template <class Vec, int kCount, int kRows, int kVecs>
PENULT_INLINE void multiply_turns(Vec (&acc)[kRows][kVecs], RowPointers<kRows>& src,
                                  const float*& weights, const char*& next, int64_t next_step,
                                  int64_t turns) {
#pragma GCC unroll 1
  for (; turns > 0; --turns) {
    prefetch_weights<Vec, kRows, kVecs, kCount>(weights, next, next_step);
    multiply_steps<Vec, 0, kCount>(acc, src, weights);
    src.first += kCount * sizeof(float);
    weights += kCount * kVecs * Vec::kLanes;
  }
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

// How a tile's loop over K is made. kAny does for all; the others save what it takes to get in and
// out of two loops.
enum class Loop {
  kAny,
  kDense,   // one segment of whole turns
  kThrees,  // short segments of threes, such as 3 or 7 pixels of three colours
};

// Where a turn is a step, kAny is as good, and compiled once.
template <class Vec>
constexpr bool kOneLoop = kSteps<Vec> == 1;

template <class Vec>
Loop choose_loop(const TileArgs& args) {
  if (kOneLoop<Vec>) return Loop::kAny;
  if (args.length % kSteps<Vec> == 0) return args.segments == 1 ? Loop::kDense : Loop::kAny;
  return args.length % 3 == 0 && args.length < 3 * kSteps<Vec> ? Loop::kThrees : Loop::kAny;
}

// Of kThrees, a turn of tiles that fill the registers is a step: gcc 12 spills sums at its end,
// which is worth it once in eight steps, but not in three.
template <class Vec, int kRows, int kVecs, Loop kLoop>
PENULT_INLINE void multiply_tile(Vec (&acc)[kRows][kVecs], RowPointers<kRows>& src,
                                 const TileArgs& args, const char*& next) {
  constexpr int kThree = kHeld<kRows, kVecs> < 16 ? 3 : 1;
  constexpr int kTurn = kLoop == Loop::kThrees ? kThree : kSteps<Vec>;
  const float* weights = args.weights;
  const int64_t turns = args.length / kTurn;
  const uintptr_t first = src.first;
  for (int64_t s = 0; s < (kLoop == Loop::kDense ? 1 : args.segments); ++s) {
    src.first = first + static_cast<uintptr_t>(args.offsets[s]) * sizeof(float);
    multiply_turns<Vec, kTurn>(acc, src, weights, next, args.prefetch_step, turns);
    if constexpr (kLoop == Loop::kAny && kTurn > 1)
      multiply_turns<Vec, 1>(acc, src, weights, next, args.prefetch_step, args.length % kTurn);
  }
}

// `tiles` tiles, one below the other: where K is 16 or 24, a call for each would take a fifth of
// the time.
template <class Vec, int kRows, int kVecs, Loop kLoop>
PENULT_NOINLINE void gemm_tiles(const TileArgs& tile_args, const RowTable& table, int64_t tiles) {
  // A copy, which the barriers in the loop do not have loaded again for each tile.
  const TileArgs args = tile_args;
  const float** src = table.src;
  float** dst = table.dst;
  const float** residual = table.residual;
  const char* next = args.prefetch;
  for (; tiles > 0; --tiles) {
    PENULT_UNROLL
    for (int r = 0; r < kRows; ++r) Vec::prefetch_write(dst[r] + args.channel);
    if (residual) {
      PENULT_UNROLL
      for (int r = 0; r < kRows; ++r) Vec::prefetch(residual[r] + args.channel);
    }
    Vec acc[kRows][kVecs];
    PENULT_UNROLL
    for (int v = 0; v < kVecs; ++v) {
      const Vec bias = Vec::load(args.bias + v * Vec::kLanes);
      PENULT_UNROLL
      for (int r = 0; r < kRows; ++r) acc[r][v] = bias;
    }
    RowPointers<kRows> rows;
    rows.first = reinterpret_cast<uintptr_t>(src[0]);
    PENULT_UNROLL
    for (int r = 0; r < kRows; ++r)
      rows.distance[r] = reinterpret_cast<uintptr_t>(src[r]) - rows.first;
    multiply_tile<Vec, kRows, kVecs, kLoop>(acc, rows, args, next);
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
