// dst = 1 / (1 + exp(-src)). Any shape; no attributes, no weights.

#include "engine/ops/expect.h"

namespace penult {
namespace {

Activation activation(const Attributes&) { return {Activation::Kind::kSigmoid}; }

}  // namespace

const OpDef kSigmoid = activation_op("sigmoid", activation);

}  // namespace penult
