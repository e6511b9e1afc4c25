#include "kernels/simd/exp.inl.h"
#include "kernels/simd/vec_portable16.h"
#include "tests/kernels/exp_entry.h"

namespace penult::testing {

void exp_portable16(const float* src, float* dst, int64_t floats) {
  using Vec = kernels::portable16::Vec;
  for (int64_t at = 0; at < floats; at += Vec::kLanes)
    Vec::store(dst + at, kernels::exp(Vec::load(src + at)));
}

}  // namespace penult::testing
