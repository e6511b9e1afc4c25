// dst = min(max(src + 3, 0), 6) / 6: torch.nn.Hardsigmoid. Any shape; no attributes, no weights.

#include "engine/ops/expect.h"

namespace penult {
namespace {

Activation activation(const Attributes&) { return {Activation::Kind::kHardSigmoid}; }

}  // namespace

const OpDef kHardSigmoid = activation_op("hard_sigmoid", activation);

}  // namespace penult
