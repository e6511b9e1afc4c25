#include "kernels/depthwise_conv2d/depthwise_conv2d_cuda.h"

#include <cstring>

#include "engine/base/text.h"
#include "kernels/conv2d/conv2d_geometry.h"

namespace penult::kernels::cuda {
namespace {

std::string declines_any(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  if (g.groups != g.ic || g.groups != g.oc)
    return concat("groups must equal ic and oc, got groups ", g.groups, ", ic ", g.ic, ", oc ",
                  g.oc);
  if (conv2d_has_scale(problem)) return "src has factors for its channels";
  return {};
}

std::string declines(const Problem& problem) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  if (g.kh != g.kw || (g.kh != 3 && g.kh != 5))
    return concat("kernel must be 3x3 or 5x5, got ", g.kh, "x", g.kw);
  if (g.sh != g.sw || (g.sh != 1 && g.sh != 2))
    return concat("stride must be 1 or 2, got ", g.sh, "x", g.sw);
  if (g.dh != 1 || g.dw != 1) return concat("dilation must be 1, got ", g.dh, "x", g.dw);
  return declines_any(problem);
}

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

constexpr GpuRow kF32 =
    depthwise("conv2d_depthwise_f32_cuda", Precision::kF32, launch_depthwise<float>, declines);
constexpr GpuRow kF16 =
    depthwise("conv2d_depthwise_f16_cuda", Precision::kF16, launch_depthwise<gpu::Half>, declines);
constexpr GpuRow kAnyF32 = depthwise("conv2d_depthwise_any_f32_cuda", Precision::kF32,
                                     launch_depthwise_any<float>, declines_any);
constexpr GpuRow kAnyF16 = depthwise("conv2d_depthwise_any_f16_cuda", Precision::kF16,
                                     launch_depthwise_any<gpu::Half>, declines_any);

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
