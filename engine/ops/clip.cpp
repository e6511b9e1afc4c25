// dst = min(max(src, lo), hi): torch.nn.Hardtanh. Any shape; attributes lo <= hi, finite; no
// weights.

#include <limits>

#include "engine/base/text.h"
#include "engine/ops/expect.h"

namespace penult {
namespace {

constexpr double kLargest = std::numeric_limits<float>::max();
constexpr std::array kAttributes = {AttributeSpec::real("lo", -kLargest, kLargest),
                                    AttributeSpec::real("hi", -kLargest, kLargest)};

Result<Shape> infer(const OpArgs& args) {
  const double lo = args.attrs.get_float("lo"), hi = args.attrs.get_float("hi");
  if (lo <= hi) return args.inputs[0];
  return Status(StatusCode::kModelInvalid, concat("expected lo <= hi, got ", lo, " and ", hi));
}

Activation activation(const Attributes& attrs) {
  return Activation::clamp(attrs.get_float("lo"), attrs.get_float("hi"));
}

}  // namespace

const OpDef kClip = activation_op("clip", activation, kAttributes, infer);

}  // namespace penult
