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

void pack(const Problem& problem, Weights weights, std::byte* packed) {
  const double eps = problem.attrs.get_float("eps");
  const auto gamma = weights[0], beta = weights[1], mean = weights[2], var = weights[3];
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

constexpr std::array kKernels = {
    Kernel{"batchnorm_stream_f32_avx2", Backend::kNative, Isa::kAvx2, accepts_all, no_halo,
           packed_bytes, pack, no_bytes, run<batchnorm_f32_avx2>},
    Kernel{"batchnorm_stream_f32_scalar", Backend::kNative, Isa::kScalar, accepts_all, no_halo,
           packed_bytes, pack, no_bytes, run<batchnorm_f32_scalar>},
    Kernel{"batchnorm_loops_f32_reference", Backend::kReference, Isa::kScalar, accepts_all, no_halo,
           raw_weights_bytes, pack_raw_weights, no_bytes, batchnorm_loops_f32_reference},
};

}  // namespace

const Table kBatchnormTable = {"batchnorm", kKernels};

}  // namespace penult::kernels
