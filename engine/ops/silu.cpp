// dst = src / (1 + exp(-src)): torch.nn.SiLU, also called swish. Any shape; no attributes, no
// weights.

#include "engine/ops/expect.h"

namespace penult {
namespace {

Activation activation(const Attributes&) { return {Activation::Kind::kSilu}; }

}  // namespace

const OpDef kSilu = activation_op("silu", activation);

}  // namespace penult
