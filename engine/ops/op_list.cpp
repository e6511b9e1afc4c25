#include <algorithm>

#include "engine/ops/op.h"

namespace penult {
namespace {

constexpr std::array<const OpDef*, 7> kOps = {&kAdd,    &kBatchnorm, &kConv2d, &kGlobalAvgPool,
                                              &kLinear, &kRelu,      &kRelu6};

}  // namespace

std::span<const OpDef* const> all_ops() { return kOps; }

const OpDef* find_op(std::string_view name) {
  const auto it =
      std::lower_bound(kOps.begin(), kOps.end(), name,
                       [](const OpDef* op, std::string_view key) { return op->name < key; });
  return it != kOps.end() && (*it)->name == name ? *it : nullptr;
}

}  // namespace penult
