// dst = min(max(src, 0), 6). Any shape; no attributes, no weights.

#include "engine/ops/expect.h"

namespace penult {
namespace {

Activation activation(const Attributes&) { return Activation::clamp(0.0f, 6.0f); }

}  // namespace

const OpDef kRelu6 = activation_op("relu6", activation);

}  // namespace penult
