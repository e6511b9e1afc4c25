// dst = src > 0 ? src : slope * src: torch.nn.LeakyReLU. Any shape; attribute slope, 0.01 if not
// given; no weights.

#include <limits>

#include "engine/ops/expect.h"

namespace penult {
namespace {

constexpr double kLargest = std::numeric_limits<float>::max();
constexpr std::array kAttributes = {AttributeSpec::real_or("slope", -kLargest, kLargest, 0.01)};

Activation activation(const Attributes& attrs) {
  return Activation::leaky_relu(attrs.get_float("slope"));
}

}  // namespace

const OpDef kLeakyRelu = activation_op("leaky_relu", activation, kAttributes);

}  // namespace penult
