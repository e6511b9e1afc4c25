#include "kernels/probe/probe.inl.h"
#include "kernels/simd/vec_avx2.h"

namespace penult::kernels {

void fma_probe_f32_avx2(int64_t rounds, float* sink) { fma_probe_f32<avx2::Vec>(rounds, sink); }

}  // namespace penult::kernels
