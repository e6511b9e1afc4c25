#include "engine/base/rgb8_values.h"

namespace penult {

Rgb8Values make_rgb8_values(const std::array<float, 3>& mean, const std::array<float, 3>& std,
                            bool bgr) {
  Rgb8Values values;
  for (int c = 0; c < 3; ++c) {
    values.byte[c] = bgr ? 2 - c : c;
    for (int x = 0; x < 256; ++x) {
      values.value[c][x] = (static_cast<float>(x) / 255.0f - mean[c]) / std[c];
    }
  }
  return values;
}

}  // namespace penult
