#include "kernels/cuda/cudnn/weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "engine/base/check.h"
#include "engine/base/checked.h"
#include "kernels/conv2d/conv2d_geometry.h"
#include "kernels/cuda/cudnn/graph.h"
#include "kernels/cuda/row.h"

namespace penult::kernels::cudnn {
namespace {

using cuda::padded;

constexpr size_t kAlignment = 256;

cuda::OhwiWeights ohwi(const PackedWeights& w) { return {w.oc, w.ic, w.kh, w.kw, w.precision}; }

size_t depthwise_bytes(const PackedWeights& w) {
  const int64_t elems = padded(w.oc) * w.kh * w.kw;
  return align_up(static_cast<size_t>(elems * bytes_of(w.precision)), kAlignment);
}

Status write(std::span<const float> values, Precision precision, std::byte* to) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (precision == Precision::kF32) {
      std::memcpy(to + i * sizeof(float), &values[i], sizeof(float));
    } else {
      const gpu::Half half = gpu::half_from_float(values[i]);
      std::memcpy(to + i * sizeof(half), &half, sizeof(half));
      if (std::isfinite(values[i]) && std::isinf(gpu::float_from_half(half)))
        return cuda::too_large_for_f16(values[i]);
    }
  }
  return {};
}

}  // namespace

size_t PackedWeights::bias_offset() const {
  return depthwise ? depthwise_bytes(*this) : ohwi(*this).bias_offset();
}

size_t PackedWeights::bytes() const {
  if (!depthwise) return ohwi(*this).bytes();
  return bias_offset() + static_cast<size_t>(padded(oc)) * sizeof(float);
}

Status PackedWeights::pack(Weights& weights, std::byte* packed) const {
  if (depthwise) {
    std::fill_n(packed, bytes(), std::byte{0});
    PENULT_RETURN_IF_ERROR(
        write(weights[0], precision, packed));  // (oc, 1, kh, kw) is that order already
  } else {
    PENULT_RETURN_IF_ERROR(ohwi(*this).pack(weights, packed));
  }
  std::byte* bias_at = packed + bias_offset();
  std::fill_n(bias_at, static_cast<size_t>(padded(oc)) * sizeof(float), std::byte{0});
  return write(weights[1], bias, bias_at);
}

PackedWeights packed_convolution(const Problem& problem, Precision precision) {
  const Conv2dGeometry g = conv2d_geometry(problem);
  return {.precision = precision,
          .oc = g.oc,
          .ic = g.ic_per_group(),
          .kh = g.kh,
          .kw = g.kw,
          .depthwise = g.groups > 1,
          .bias = bias_precision(problem, precision)};
}

PackedWeights packed_product(const Problem& problem, Precision precision) {
  return {.precision = precision,
          .oc = problem.dst.shape.c,
          .ic = problem.src[0].shape.c,
          .kh = 1,
          .kw = 1,
          .depthwise = false,
          .bias = precision};
}

}  // namespace penult::kernels::cudnn
