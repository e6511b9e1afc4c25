// dst = min(max(src + 3, 0), 6) / 6: torch.nn.Hardsigmoid. Any shape; no attributes, no weights.

#include "engine/ops/expect.h"

namespace penult {
namespace {

Activation activation(const Attributes&) { return {Activation::Kind::kHardSigmoid}; }

}  // namespace

const OpDef kHardSigmoid = {.name = "hard_sigmoid",
                            .inputs = 1,
                            .attributes = {},
                            .weights = {},
                            .infer = same_shape,
                            .macs = no_macs,
                            .activation = activation};

}  // namespace penult
