#include "kernels/probe/probe.h"

#include "kernels/probe/probe_params.h"

namespace penult::kernels {
namespace {

struct Probe {
  void (*run)(int64_t rounds, float* sink);
  int64_t lanes;
};

Probe probe_of(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      break;
    case Isa::kPortable16:
      return {fma_probe_f32_portable16, 16};
    case Isa::kAvx2:
      return {fma_probe_f32_avx2, 8};
    case Isa::kAvx512:
      return {fma_probe_f32_avx512, 16};
  }
  return {fma_probe_f32_scalar, 4};
}

}  // namespace

int64_t run_fma_probe(Isa isa, int64_t rounds) {
  const Probe probe = probe_of(isa);
  // x -> 0.999 x + 0.001 stays near 1: no overflow, no denormals.
  alignas(64) float sink[16] = {0.999f, 0.001f};
  probe.run(rounds, sink);
  return rounds * kProbeChains * probe.lanes * 2;
}

}  // namespace penult::kernels
