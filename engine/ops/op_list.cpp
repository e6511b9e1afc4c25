#include <algorithm>
#include <iterator>

#include "engine/ops/op.h"

namespace penult {
namespace {

// One a line, so that a new one is one line more.
// clang-format off
constexpr const OpDef* kOps[] = {
    &kAdaptiveAvgPool2d,
    &kAdd,
    &kAvgPool2d,
    &kBatchnorm,
    &kClip,
    &kConcat,
    &kConv2d,
    &kFlattenOp,
    &kGlobalAvgPool,
    &kHardSigmoid,
    &kHardSwish,
    &kLeakyRelu,
    &kLinear,
    &kMaxPool2d,
    &kMul,
    &kPad,
    &kRelu,
    &kRelu6,
    &kSigmoid,
    &kSilu,
    &kSlice,
    &kSoftmax,
};
// clang-format on

}  // namespace

std::span<const OpDef* const> all_ops() { return kOps; }

const OpDef* find_op(std::string_view name) {
  const auto it =
      std::lower_bound(std::begin(kOps), std::end(kOps), name,
                       [](const OpDef* op, std::string_view key) { return op->name < key; });
  return it != std::end(kOps) && (*it)->name == name ? *it : nullptr;
}

}  // namespace penult
