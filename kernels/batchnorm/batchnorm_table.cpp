#include <array>
#include <cmath>

#include "kernels/batchnorm/batchnorm.h"
#include "kernels/pointwise/pointwise.h"
#include "kernels/support.h"

namespace penult::kernels {
namespace {

// Packed: scale[c], then shift[c], c rounded up; zeros in the padding.
int64_t channels(const Problem& problem) { return round_up(problem.dst.shape.c, kChannelPad); }

size_t packed_bytes(const Problem& problem) {
  return static_cast<size_t>(channels(problem)) * 2 * sizeof(float);
}

void pack(const Problem& problem, Weights& weights, std::byte* packed) {
  const double eps = problem.attrs.get_float("eps");
  const auto gamma = weights[0], beta = weights[1], mean = weights[2], var = weights[3];
  if (gamma.empty()) return;
  auto* out_scale = reinterpret_cast<float*>(packed);
  float* out_shift = out_scale + channels(problem);
  std::memset(packed, 0, packed_bytes(problem));
  for (size_t c = 0; c < static_cast<size_t>(problem.dst.shape.c); ++c) {
    const double scale = gamma[c] / std::sqrt(var[c] + eps);
    out_scale[c] = static_cast<float>(scale);
    out_shift[c] = static_cast<float>(beta[c] - mean[c] * scale);
  }
}

template <void (*kRun)(const PointwiseParams&)>
void run(const RunArgs& args) {
  PointwiseParams params = pointwise_params(args);
  params.scale = reinterpret_cast<const float*>(args.packed);
  params.shift = params.scale + params.c;
  kRun(params);
}

constexpr Kernel native(const char* name, Isa isa, void (*run)(const RunArgs&)) {
  return {.name = name,
          .backend = Backend::kNative,
          .isa = isa,
          .packed_bytes = packed_bytes,
          .pack = pack,
          .run = run};
}

constexpr std::array kKernels = {
    native("batchnorm_stream_f32_avx512", Isa::kAvx512, run<batchnorm_f32_avx512>),
    native("batchnorm_stream_f32_avx2", Isa::kAvx2, run<batchnorm_f32_avx2>),
    native("batchnorm_stream_f32_portable16", Isa::kPortable16, run<batchnorm_f32_portable16>),
    native("batchnorm_stream_f32_scalar", Isa::kScalar, run<batchnorm_f32_scalar>),
    Kernel{.name = "batchnorm_loops_f32_reference",
           .backend = Backend::kReference,
           .isa = Isa::kScalar,
           .packed_bytes = raw_weights_bytes,
           .pack = pack_raw_weights,
           .run = batchnorm_loops_f32_reference},
};

}  // namespace

const Table kBatchnormTable = {"batchnorm", kKernels};

}  // namespace penult::kernels
