#include "kernels/probe/probe.inl.h"
#include "kernels/simd/vec_scalar.h"

namespace penult::kernels {

void fma_probe_f32_scalar(int64_t rounds, float* sink) { fma_probe_f32<scalar::Vec>(rounds, sink); }

}  // namespace penult::kernels
