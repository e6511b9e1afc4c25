#include "kernels/probe/probe.inl.h"
#include "kernels/simd/vec_portable16.h"

namespace penult::kernels {

void fma_probe_f32_portable16(int64_t rounds, float* sink) {
  fma_probe_f32<portable16::Vec>(rounds, sink);
}

}  // namespace penult::kernels
