#include "kernels/simd/exp.inl.h"
#include "kernels/simd/vec_avx2.h"
#include "tests/kernels/exp_entry.h"

namespace penult::testing {

void exp_avx2(const float* src, float* dst, int64_t floats) {
  using Vec = kernels::avx2::Vec;
  for (int64_t at = 0; at < floats; at += Vec::kLanes)
    Vec::store(dst + at, kernels::exp(Vec::load(src + at)));
}

}  // namespace penult::testing
