#include "converters/onnx/patterns.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

constexpr float kLargest = std::numeric_limits<float>::max();

const penult::Node* producer_of(const NodeScope& n, ValueId x, const OpDef& op) {
  const penult::Node* node = n.graph().producer(x);
  return node != nullptr && node->op == &op ? node : nullptr;
}

// Files hold 1/6 as 0.16666667 or 0.166667.
bool is_near(float x, double expected) { return std::abs(x - expected) <= 1e-6; }

bool is_affine(const NodeScope& n, ValueId x, double scale, double shift) {
  const ScalarAffine* affine = n.graph().affine_of(x);
  return affine != nullptr && is_near(affine->scale, scale) && is_near(affine->shift, shift);
}

// x where y = relu6(x + 3).
std::optional<ValueId> relu6_of_plus3(const NodeScope& n, ValueId y) {
  const penult::Node* relu6 = producer_of(n, y, kRelu6);
  if (relu6 == nullptr || !is_affine(n, relu6->inputs[0], 1, 3)) return std::nullopt;
  return n.graph().producer(relu6->inputs[0])->inputs[0];
}

// y / 6 of relu6(x + 3), or of x * relu6(x + 3).
std::optional<ValueId> divide_by_6(NodeScope& n, ValueId y) {
  if (const auto x = relu6_of_plus3(n, y)) return n.add(kHardSigmoid, {*x});
  const penult::Node* mul = producer_of(n, y, kMul);
  if (mul == nullptr) return std::nullopt;
  for (size_t i = 0; i < 2; ++i) {
    if (relu6_of_plus3(n, mul->inputs[i]) == mul->inputs[1 - i]) {
      return n.add(kHardSwish, {mul->inputs[1 - i]});
    }
  }
  return std::nullopt;
}

std::optional<ValueId> gate(NodeScope& n, ValueId x, ValueId y) {
  if (const auto* node = producer_of(n, y, kSigmoid); node != nullptr && node->inputs[0] == x) {
    return n.add(kSilu, {x});
  }
  if (const auto* node = producer_of(n, y, kHardSigmoid); node != nullptr && node->inputs[0] == x) {
    return n.add(kHardSwish, {x});
  }
  // (x / 6) * relu6(x + 3)
  if (const auto source = relu6_of_plus3(n, y); source && is_affine(n, x, 1.0 / 6, 0)) {
    if (n.graph().producer(x)->inputs[0] == *source) return n.add(kHardSwish, {*source});
  }
  return std::nullopt;
}

ValueId add_batchnorm(NodeScope& n, ValueId x, const PerChannel& scale, const PerChannel& shift) {
  const int64_t c = n.graph().shape(x).c;
  if (!n.reserve({4, c})) return x;
  const auto spread = [&](const PerChannel& numbers) {
    return numbers.size() == 1 ? PerChannel(static_cast<size_t>(c), numbers[0]) : numbers;
  };
  const auto name = [&](const char* what) { return n.node().outputs[0] + what; };
  Attributes attrs;
  attrs.set_float("eps", std::numeric_limits<float>::denorm_min());  // 1 + eps is 1
  const std::vector<WeightId> weights = {
      n.weight(name(".scale"), spread(scale), {c}), n.weight(name(".shift"), spread(shift), {c}),
      n.weight(name(".mean"), spread({0}), {c}), n.weight(name(".var"), spread({1}), {c})};
  const ValueId y = n.add(kBatchnorm, {x}, weights, std::move(attrs));
  if (n.ok() && scale.size() == 1 && shift.size() == 1) {
    n.graph().note_affine(y, {scale[0], shift[0]});
  }
  return y;
}

}  // namespace

ValueId affine(NodeScope& n, ValueId x, PerChannel scale, PerChannel shift) {
  if (!n.ok()) return x;
  const auto all = [](const PerChannel& numbers, float value) {
    return std::all_of(numbers.begin(), numbers.end(), [=](float f) { return f == value; });
  };
  const bool only_scales = all(shift, 0);
  if (only_scales && all(scale, 1)) return x;
  if (only_scales && scale.size() == 1 && is_near(scale[0], 1.0 / 6)) {
    if (const auto value = divide_by_6(n, x)) return *value;
  }
  return add_batchnorm(n, x, scale, shift);
}

ValueId clamp(NodeScope& n, ValueId x, float lo, float hi) {
  if (!n.ok()) return x;
  if (std::isnan(lo) || std::isnan(hi)) n.invalid("a limit is not a number");
  lo = std::clamp(lo, -kLargest, kLargest);
  hi = std::clamp(hi, -kLargest, kLargest);
  lo = std::min(lo, hi);  // as ONNX defines it
  if (lo == -kLargest && hi == kLargest) return x;
  if (lo == 0 && hi == kLargest) return n.add(kRelu, {x});
  if (const auto* relu = producer_of(n, x, kRelu); relu != nullptr && lo <= 0 && hi >= 0) {
    return clamp(n, relu->inputs[0], 0, hi);
  }
  if (lo == 0 && hi == 6) return n.add(kRelu6, {x});
  if (lo == 0 && hi == 1 && is_affine(n, x, 1.0 / 6, 0.5)) {
    return n.add(kHardSigmoid, {n.graph().producer(x)->inputs[0]});
  }
  Attributes attrs;
  attrs.set_float("lo", lo);
  attrs.set_float("hi", hi);
  return n.add(kClip, {x}, {}, std::move(attrs));
}

ValueId multiply(NodeScope& n, ValueId a, ValueId b) {
  if (!n.ok()) return a;
  if (const auto value = gate(n, a, b)) return *value;
  if (const auto value = gate(n, b, a)) return *value;
  return n.add(kMul, {a, b});
}

}  // namespace penult::converters::onnx
