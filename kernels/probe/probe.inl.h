#pragma once

#include <cstdint>

#include "kernels/probe/probe_params.h"
#include "kernels/simd/vec.h"

namespace penult::kernels {
namespace {

// `sink` receives a vector, so that nothing is optimised away.
template <class Vec>
void fma_probe_f32(int64_t rounds, float* sink) {
  Vec acc[kProbeChains];
  PENULT_UNROLL
  for (int i = 0; i < kProbeChains; ++i) acc[i] = Vec::set(static_cast<float>(i));
  const Vec x = Vec::broadcast(sink), y = Vec::broadcast(sink + 1);
  for (int64_t round = 0; round < rounds; ++round) {
    PENULT_UNROLL
    for (int i = 0; i < kProbeChains; ++i) acc[i] = Vec::fma(acc[i], x, y);
  }
  PENULT_UNROLL
  for (int i = 1; i < kProbeChains; ++i) acc[0] = Vec::add(acc[0], acc[i]);
  Vec::store(sink, acc[0]);
}

}  // namespace
}  // namespace penult::kernels
