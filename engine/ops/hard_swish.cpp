// dst = src * min(max(src + 3, 0), 6) / 6: torch.nn.Hardswish. Any shape; no attributes, no
// weights.

#include "engine/ops/expect.h"

namespace penult {
namespace {

Activation activation(const Attributes&) { return {Activation::Kind::kHardSwish}; }

}  // namespace

const OpDef kHardSwish = activation_op("hard_swish", activation);

}  // namespace penult
