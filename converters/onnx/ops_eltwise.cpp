// Operators element by element: activations, and arithmetic of values and constants.

#include <algorithm>
#include <cmath>
#include <limits>

#include "converters/onnx/handlers.h"
#include "converters/onnx/layout.h"
#include "converters/onnx/patterns.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

void activation(NodeScope& n, const OpDef& op, Attributes attrs = {}) {
  n.ignore({"consumed_inputs"});  // of opset 1, a hint to share memory
  n.expect_inputs(1, 1);
  const Symbol x = n.value(0);
  n.output_value(n.add(op, {x.value}, {}, std::move(attrs)), x);
}

// Where the dims of input `i` stand among the axes of a value of that rank: at the end, or where
// opset 6 says. Ones are put around them.
std::vector<int64_t> widen_dims(NodeScope& n, const std::vector<int64_t>& dims, size_t rank) {
  size_t first = rank - std::min(rank, dims.size());
  if (n.opset() < 7) {
    n.ignore({"consumed_inputs"});
    if (n.int_of("broadcast", 0) == 0 && dims.size() != rank) {
      n.invalid(concat("expected inputs of one shape, got ", dims));
    }
    if (n.has("axis")) first = n.axis(n.int_of("axis", 0), rank);
  }
  if (dims.size() > rank || first + dims.size() > rank) {
    n.unsupported(concat("a constant of shape ", dims, " with a value of ", rank, " axes"));
    return std::vector<int64_t>(rank, 1);
  }
  std::vector<int64_t> wide(rank, 1);
  std::copy(dims.begin(), dims.end(), wide.begin() + static_cast<ptrdiff_t>(first));
  return wide;
}

// A constant beside a value: one number, or one for each channel.
PerChannel per_channel(NodeScope& n, const Symbol& x, const Constant& constant) {
  const PerChannel failed = {1};
  if (!n.ok()) return failed;
  const std::vector<int64_t> x_dims = n.dims(x);
  const std::vector<int64_t> dims = widen_dims(n, constant->dims, x_dims.size());
  if (!n.ok()) return failed;
  const std::vector<float>& numbers = constant->floats;
  bool fits = !constant->is_integer && !numbers.empty(), varies = false;
  for (size_t i = 0; i < dims.size(); ++i) {
    fits = fits && (dims[i] == 1 || dims[i] == x_dims[i]);
    varies = varies || (dims[i] != 1 && x.axes[i] != Role::kChannel);
  }
  if (!fits) {
    n.unsupported(
        concat("a constant of shape ", constant->dims, " with a value of shape ", x_dims));
    return failed;
  }
  // Many nodes may share a large constant, and each looks through all of it.
  if (varies && !n.reserve(constant->dims)) return failed;
  if (std::adjacent_find(numbers.begin(), numbers.end(), std::not_equal_to<>()) == numbers.end()) {
    return {numbers[0]};
  }
  if (varies) {
    n.unsupported(concat("constants that depend on the position, of shape ", constant->dims,
                         ", with a value of axes ", describe_axes(x)));
    return failed;
  }
  const ChannelOrder order(x);
  PerChannel ours(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) ours[order(i)] = numbers[i];
  return ours;
}

PerChannel map_each(PerChannel numbers, float (*f)(float)) {
  std::transform(numbers.begin(), numbers.end(), numbers.begin(), f);
  return numbers;
}

// Of a node with two inputs: which one is the value beside a constant, or none.
struct Operands {
  const Symbol& a;
  const Symbol& b;
  bool are_values() const { return a.is_value() && b.is_value(); }
  const Symbol& value() const { return a.is_value() ? a : b; }
  const Constant& constant() const { return a.is_value() ? b.constant : a.constant; }
  bool constant_is_first() const { return !a.is_value(); }
};

Operands operands(NodeScope& n) {
  n.expect_inputs(2, 2);
  return {n.input(0), n.input(1)};
}

// Opset 6 lets the second operand start at an axis of the first.
Aligned align_operands(NodeScope& n, const Symbol& a, Symbol b) {
  if (n.opset() < 7 && n.ok()) {
    n.ignore({"consumed_inputs"});
    const size_t rank = a.axes.size();
    const bool broadcasts = n.int_of("broadcast", 0) != 0;
    const int64_t first = n.int_of("axis", static_cast<int64_t>(rank - b.axes.size()));
    if (broadcasts && first >= 0 && static_cast<size_t>(first) + b.axes.size() <= rank) {
      b.axes.insert(b.axes.begin(), static_cast<size_t>(first), Role::kOne);
      b.axes.resize(rank, Role::kOne);
    }
  }
  return align(n, a, b);
}

// A bias that was written as a node of its own.
bool add_bias(NodeScope& n, const Symbol& x, size_t input, const PerChannel& bias) {
  const penult::Node* linear = n.ok() ? n.graph().producer(x.value) : nullptr;
  if (linear == nullptr || linear->op != &kLinear || linear->weights[1] != kNoWeight ||
      !n.is_only_reader(input)) {
    return false;
  }
  const int64_t c = n.shape(x).c;
  if (!n.reserve({c})) return true;
  const PerChannel all = bias.size() == 1 ? PerChannel(static_cast<size_t>(c), bias[0]) : bias;
  const WeightId id = n.weight(n.node().outputs[0] + ".bias", all, {c});
  const std::vector<ValueId> inputs = linear->inputs;
  const std::vector<WeightId> weights = {linear->weights[0], id};
  n.output_value(n.add(kLinear, inputs, weights), x);
  return true;
}

void add_two(NodeScope& n) {
  const Operands o = operands(n);
  if (o.are_values()) {
    const Aligned both = align_operands(n, o.a, o.b);
    n.output_value(n.add(kAdd, {both.a, both.b}), both.like);
    return;
  }
  const Symbol x = o.value();
  const PerChannel shift = per_channel(n, x, o.constant());
  if (add_bias(n, x, o.constant_is_first() ? 1 : 0, shift)) return;
  n.output_value(affine(n, x.value, {1}, shift), x);
}

// Max and Min: of one value and of constants that are one number.
void limit(NodeScope& n, bool from_below) {
  const Symbol* x = nullptr;
  float bound = from_below ? -kInfinity : kInfinity;
  for (size_t i = 0; i < n.inputs() && n.ok(); ++i) {
    const Symbol& input = n.input(i);
    if (input.is_value()) {
      if (x != nullptr) n.unsupported("expected one value and constants, got two values");
      x = &input;
    } else if (input.constant->is_integer || input.constant->floats.size() != 1) {
      n.unsupported("expected constants of one number");
    } else {
      const float number = input.constant->floats[0];
      bound = from_below ? std::max(bound, number) : std::min(bound, number);
    }
  }
  if (!n.ok() || x == nullptr) return;
  const Symbol like = *x;
  n.output_value(
      clamp(n, like.value, from_below ? bound : -kInfinity, from_below ? kInfinity : bound), like);
}

// A limit of Clip since opset 11: an input that may be left out.
float limit_at(NodeScope& n, size_t i, float otherwise) {
  if (!n.has_input(i)) return otherwise;
  const Constant limit = n.constant(i);
  if (n.ok() && (limit->is_integer || limit->floats.size() != 1)) {
    n.unsupported(concat("input ", i, ": expected one number"));
  }
  return n.ok() ? limit->floats[0] : otherwise;
}

}  // namespace

void convert_add(NodeScope& n) {
  if (n.inputs() == 2) return add_two(n);
  if (n.node().op == "Add") return n.expect_inputs(2, 2);
  if (n.inputs() == 1) return convert_identity(n);
  Symbol sum = n.value(0);
  for (size_t i = 1; i < n.inputs() && n.ok(); ++i) {
    const Aligned both = align(n, sum, n.value(i));
    sum = both.like;
    sum.value = n.add(kAdd, {both.a, both.b});
  }
  n.output_value(sum.value, sum);
}

void convert_sub(NodeScope& n) {
  const Operands o = operands(n);
  if (o.are_values()) {
    const Aligned both = align_operands(n, o.a, o.b);
    n.output_value(n.add(kAdd, {both.a, affine(n, both.b, {-1}, {0})}), both.like);
    return;
  }
  const Symbol x = o.value();
  const PerChannel constant = per_channel(n, x, o.constant());
  const auto negate = [](float f) { return -f; };
  n.output_value(o.constant_is_first() ? affine(n, x.value, {-1}, constant)
                                       : affine(n, x.value, {1}, map_each(constant, negate)),
                 x);
}

void convert_mul(NodeScope& n) {
  const Operands o = operands(n);
  if (o.are_values()) {
    const Aligned both = align_operands(n, o.a, o.b);
    n.output_value(multiply(n, both.a, both.b), both.like);
    return;
  }
  const Symbol x = o.value();
  n.output_value(affine(n, x.value, per_channel(n, x, o.constant()), {0}), x);
}

void convert_div(NodeScope& n) {
  const Operands o = operands(n);
  if (o.are_values() || o.constant_is_first()) {
    return n.unsupported("expected a constant divisor, got a value that depends on the image");
  }
  const Symbol x = o.value();
  const auto invert = [](float f) { return static_cast<float>(1.0 / static_cast<double>(f)); };
  n.output_value(affine(n, x.value, map_each(per_channel(n, x, o.constant()), invert), {0}), x);
}

void convert_neg(NodeScope& n) {
  n.expect_inputs(1, 1);
  const Symbol x = n.value(0);
  n.output_value(affine(n, x.value, {-1}, {0}), x);
}

void convert_max(NodeScope& n) { limit(n, true); }
void convert_min(NodeScope& n) { limit(n, false); }

void convert_clip(NodeScope& n) {
  const bool by_inputs = n.opset() >= 11;
  n.expect_inputs(1, by_inputs ? 3 : 1);
  n.ignore({"consumed_inputs"});
  const Symbol x = n.value(0);
  const float lo = by_inputs ? limit_at(n, 1, -kInfinity) : n.float_of("min", -kInfinity);
  const float hi = by_inputs ? limit_at(n, 2, kInfinity) : n.float_of("max", kInfinity);
  n.output_value(clamp(n, x.value, lo, hi), x);
}

void convert_relu(NodeScope& n) { activation(n, kRelu); }
void convert_sigmoid(NodeScope& n) { activation(n, kSigmoid); }
void convert_hard_swish(NodeScope& n) { activation(n, kHardSwish); }

void convert_swish(NodeScope& n) {
  if (n.float_of("alpha", 1) != 1) n.unsupported("expected alpha 1");
  activation(n, kSilu);
}

void convert_leaky_relu(NodeScope& n) {
  Attributes attrs;
  attrs.set_float("slope", n.float_of("alpha", 0.01f));
  activation(n, kLeakyRelu, std::move(attrs));
}

void convert_hard_sigmoid(NodeScope& n) {
  const float alpha = n.float_of("alpha", 0.2f), beta = n.float_of("beta", 0.5f);
  // Files hold 1/6 as 0.16666667 or 0.166667.
  if (std::abs(alpha - 1.0 / 6) <= 1e-6 && beta == 0.5f) return activation(n, kHardSigmoid);
  n.ignore({"consumed_inputs"});
  n.expect_inputs(1, 1);
  const Symbol x = n.value(0);
  n.output_value(clamp(n, affine(n, x.value, {alpha}, {beta}), 0, 1), x);
}

// x > 0 ? x : slope * x, as relu(x) + slope * min(x, 0) where slopes differ by channel.
void convert_prelu(NodeScope& n) {
  n.expect_inputs(2, 2);
  n.ignore({"consumed_inputs"});
  const Symbol x = n.value(0);
  Constant slope = n.constant(1);
  if (n.ok() && n.opset() < 7 && slope->dims.size() == 1 && x.axes.size() > 2) {
    Tensor wide = *slope;  // of the channels, wherever they stand
    wide.dims.insert(wide.dims.begin(), 1);
    wide.dims.resize(x.axes.size(), 1);
    slope = std::make_shared<Tensor>(std::move(wide));
  }
  const PerChannel slopes = per_channel(n, x, slope);
  if (slopes.size() == 1) {
    Attributes attrs;
    attrs.set_float("slope", slopes[0]);
    return n.output_value(n.add(kLeakyRelu, {x.value}, {}, std::move(attrs)), x);
  }
  const ValueId above = n.add(kRelu, {x.value});
  const ValueId below = affine(n, clamp(n, x.value, -kInfinity, 0), slopes, {0});
  n.output_value(n.add(kAdd, {above, below}), x);
}

}  // namespace penult::converters::onnx
