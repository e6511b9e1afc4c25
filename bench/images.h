#pragma once

#include <cstdint>
#include <vector>

#include "penult/extractor.h"

namespace penult::bench {

// (max_batch, 3, h, w) floats to time an extractor on: what they are makes no difference.
inline std::vector<float> images_to_time(const Extractor& extractor) {
  const int64_t image = 3 * extractor.input_h() * extractor.input_w();
  std::vector<float> images(static_cast<size_t>(extractor.max_batch() * image));
  for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i % 251) / 125 - 1;
  return images;
}

}  // namespace penult::bench
