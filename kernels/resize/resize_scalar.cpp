// In plain numbers and with plain weights: what the vectors of the other levels are tested against.

#include "kernels/resize/resize.inl.h"

namespace penult::kernels {

void resize_row_u8_scalar(const ResizeRow& params) {
  for (int64_t x = 0; x < params.width; ++x) {
    const int32_t* weights = params.weights + x * params.stride;
    const uint8_t* pixel = params.src + params.first[x];
    int32_t r = kRoundHalf, g = kRoundHalf, b = kRoundHalf;
    for (int64_t i = 0; i < params.count[x]; ++i, pixel += 3) {
      r += pixel[0] * weights[i];
      g += pixel[1] * weights[i];
      b += pixel[2] * weights[i];
    }
    params.dst[3 * x] = resize_round(r);
    params.dst[3 * x + 1] = resize_round(g);
    params.dst[3 * x + 2] = resize_round(b);
  }
}

void resize_blend_u8_scalar(const ResizeBlend& params) { resize_blend_bytes(params); }

}  // namespace penult::kernels
