#include <cmath>
#include <cstring>

#include "engine/base/checked.h"
#include "engine/base/text.h"
#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

size_t OhwiWeights::bias_offset() const {
  return align_up(static_cast<uint64_t>(elems() * bytes_of(precision)), 256);
}

size_t OhwiWeights::bytes() const {
  return bias_offset() + static_cast<size_t>(padded(oc)) * sizeof(float);
}

Status too_large_for_f16(float weight) {
  return {StatusCode::kModelInvalid,
          concat("a weight is ", weight,
                 " once batchnorm is folded into it, expected at most 65504 "
                 "for the precision f16; use f32")};
}

Status OhwiWeights::pack(Weights& weights, std::byte* packed) const {
  std::memset(packed, 0, bytes());
  const std::span<const float> bias = weights[1];
  if (!bias.empty()) std::memcpy(packed + bias_offset(), bias.data(), bias.size_bytes());
  const int64_t taps = kh * kw, channels = padded(ic);
  // Some output channels at a time: weights come from a file in such pieces.
  constexpr int64_t kAtOnce = 16;
  for (int64_t first = 0; first < oc; first += kAtOnce) {
    const int64_t count = first + kAtOnce < oc ? kAtOnce : oc - first;
    const std::span<const float> from = weights.channels({first, first + count});
    if (from.empty()) return {};  // unreadable: the caller knows
    for (int64_t i = 0; i < count * ic * taps; ++i) {
      const int64_t tap = i % taps, c = i / taps % ic, o = first + i / (taps * ic);
      const auto at = static_cast<size_t>((o * taps + tap) * channels + c);
      const float weight = from[static_cast<size_t>(i)];
      if (precision == Precision::kF32) {
        reinterpret_cast<float*>(packed)[at] = weight;
        continue;
      }
      const gpu::Half half = gpu::half_from_float(weight);
      reinterpret_cast<gpu::Half*>(packed)[at] = half;
      if (std::isfinite(weight) && std::isinf(gpu::float_from_half(half)))
        return too_large_for_f16(weight);
    }
  }
  return {};
}

}  // namespace penult::kernels::cuda
