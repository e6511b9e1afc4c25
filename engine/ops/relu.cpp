// dst = max(src, 0). Any shape; no attributes, no weights.

#include <limits>

#include "engine/ops/expect.h"

namespace penult {
namespace {

Activation activation(const Attributes&) {
  return Activation::clamp(0.0f, std::numeric_limits<float>::infinity());
}

}  // namespace

const OpDef kRelu = activation_op("relu", activation);

}  // namespace penult
