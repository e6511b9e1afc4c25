#include "kernels/depthwise_conv2d/depthwise_conv2d_cuda.h"

#include <cstring>

#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/depthwise_conv2d/depthwise_conv2d.h"

namespace penult::kernels::cuda {
namespace {

constexpr GpuRow depthwise(const char* name, Precision precision,
                           gpu::Error (*launch)(const GpuArgs&),
                           std::string (*refuses)(const Problem&)) {
  return {.name = name,
          .precision = precision,
          .launch = launch,
          .declines = refuses,
          .packed_bytes = depthwise_bytes,
          .pack = pack_depthwise};
}

constexpr GpuRow kF32 = depthwise("conv2d_depthwise_f32_cuda", Precision::kF32,
                                  launch_depthwise<float>, depthwise_declines);
constexpr GpuRow kF16 = depthwise("conv2d_depthwise_f16_cuda", Precision::kF16,
                                  launch_depthwise<gpu::Half>, depthwise_declines);
constexpr GpuRow kAnyF32 = depthwise("conv2d_depthwise_any_f32_cuda", Precision::kF32,
                                     launch_depthwise_any<float>, depthwise_declines_any);
constexpr GpuRow kAnyF16 = depthwise("conv2d_depthwise_any_f16_cuda", Precision::kF16,
                                     launch_depthwise_any<gpu::Half>, depthwise_declines_any);

constexpr Kernel kKernels[] = {row<kF32>(), row<kF16>(), row<kAnyF32>(), row<kAnyF16>()};

}  // namespace

size_t depthwise_bytes(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  return static_cast<size_t>((1 + g.kh * g.kw) * padded(g.ic)) * sizeof(float);
}

Status pack_depthwise(const Problem& problem, Weights& weights, std::byte* packed) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  const int64_t taps = g.kh * g.kw;
  std::memset(packed, 0, depthwise_bytes(problem));
  const std::span<const float> from = weights[0], bias = weights[1];
  if (from.empty()) return {};  // unreadable: the caller knows
  auto* const to = reinterpret_cast<float*>(packed);
  for (int64_t c = 0; c < g.ic; ++c) {
    if (!bias.empty()) to[c] = bias[static_cast<size_t>(c)];
    for (int64_t tap = 0; tap < taps; ++tap)
      to[(1 + tap) * padded(g.ic) + c] = from[static_cast<size_t>(c * taps + tap)];
  }
  return {};
}

const Table kDepthwiseConv2dCudaTable = {"conv2d", kKernels};

}  // namespace penult::kernels::cuda
