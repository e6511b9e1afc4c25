#pragma once

#include <cstdint>

namespace penult::kernels {

// Two units with four cycles of latency need eight chains; twelve leave room, and fit 16 registers.
constexpr int kProbeChains = 12;

void fma_probe_f32_scalar(int64_t rounds, float* sink);
void fma_probe_f32_portable16(int64_t rounds, float* sink);
void fma_probe_f32_avx2(int64_t rounds, float* sink);
void fma_probe_f32_avx512(int64_t rounds, float* sink);

}  // namespace penult::kernels
