#include "converters/architectures/architectures.h"

#include <array>

namespace penult::converters {

std::span<const Architecture> all_architectures() {
  static const std::array<Architecture, 2> kAll = {kMobilenetV2, kTfEfficientnetLite0};
  return kAll;
}

}  // namespace penult::converters
