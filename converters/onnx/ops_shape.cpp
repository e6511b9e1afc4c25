// Operators that change the shape of a value and no number in it, and those that read shapes.

#include <algorithm>
#include <array>
#include <numeric>

#include "converters/onnx/handlers.h"
#include "converters/onnx/layout.h"
#include "converters/onnx/shapes.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

// Role and size of every axis that is not of size 1, the batch apart.
struct Axes {
  std::vector<Role> roles;
  std::vector<int64_t> sizes;
};

Axes large_axes(const std::vector<Role>& roles, const std::vector<int64_t>& dims) {
  Axes axes;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1 || roles[i] == Role::kBatch) continue;
    axes.roles.push_back(roles[i]);
    axes.sizes.push_back(dims[i]);
  }
  return axes;
}

// All of an image in one axis, in the order in which the file has its numbers.
void flatten(NodeScope& n, const Symbol& x, std::vector<Role> axes) {
  const Shape shape = n.shape(x);
  const Axes large = large_axes(x.axes, n.dims(x));
  const std::vector<Role> last = {Role::kRow, Role::kColumn, Role::kChannel};
  const bool in_order = std::is_sorted(large.roles.begin(), large.roles.end());
  std::vector<Role> rest = last;
  std::erase_if(rest, [&](Role role) {
    return std::count(large.roles.begin(), large.roles.end(), role) == 0;
  });
  if (!in_order && large.roles != rest) {
    return n.unsupported(
        concat("expected to flatten (n,c,h,w) or (n,h,w,c), got ", describe_axes(x)));
  }
  Symbol y = {.value = shape.is_map() ? n.add(kFlattenOp, {x.value}) : x.value,
              .axes = std::move(axes),
              .flattened = x.flattened};
  if (!in_order) y.flattened = shape;
  n.output(0, std::move(y));
}

// To these dims, whose product is right.
void reshape(NodeScope& n, const Symbol& x, const std::vector<int64_t>& to) {
  const std::vector<int64_t> from = n.dims(x);
  const Axes large = large_axes(x.axes, from);
  std::vector<Role> axes(to.size(), Role::kOne);
  const bool keeps_batch = x.axes.empty() || x.axes[0] == Role::kBatch || n.batch() == 1;
  if (!to.empty() && to[0] == n.batch() && keeps_batch) axes[0] = Role::kBatch;
  std::vector<size_t> places;  // of what is not of size 1
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] != 1 && axes[i] != Role::kBatch) places.push_back(i);
  }
  std::vector<int64_t> sizes;
  for (const size_t i : places) sizes.push_back(to[i]);
  if (axes.empty() || axes[0] != Role::kBatch) {
    n.unsupported(concat("expected to keep the batch in front, got ", from, " to ", to));
  } else if (sizes == large.sizes) {
    for (size_t i = 0; i < places.size(); ++i) axes[places[i]] = large.roles[i];
    const bool has_channels = std::count(axes.begin(), axes.end(), Role::kChannel) != 0;
    if (!has_channels && axes.size() > 1 && axes[1] == Role::kOne) axes[1] = Role::kChannel;
    n.output(0, {.value = x.value, .axes = std::move(axes), .flattened = x.flattened});
  } else if (places.size() == 1) {
    axes[places[0]] = Role::kChannel;
    flatten(n, x, std::move(axes));
  } else {
    n.unsupported(concat("reshape of ", from, " to ", to, "; penult knows flattening only"));
  }
}

}  // namespace

void convert_identity(NodeScope& n) {
  const Symbol x = n.input(0);
  n.output(0, x);
}

void convert_cast(NodeScope& n) {
  constexpr std::array kFloats = {1, 10, 11, 16};  // f32, f16, f64, bf16
  n.ignore({"saturate", "round_mode"});
  const int64_t to = n.int_of("to", 0);
  if (std::find(kFloats.begin(), kFloats.end(), to) == kFloats.end()) {
    return n.unsupported(concat("cast of a value to type ", to, ", expected a type of floats"));
  }
  convert_identity(n);
}

void convert_dropout(NodeScope& n) {
  n.expect_inputs(1, 3);
  n.ignore({"ratio", "seed", "is_test"});
  if (n.has_input(2)) {
    const std::vector<int64_t> training = n.ints_at(2);
    if (training != std::vector<int64_t>{0}) n.unsupported("expected no training mode");
  }
  convert_identity(n);
}

void convert_transpose(NodeScope& n) {
  n.expect_inputs(1, 1);
  const Symbol x = n.value(0);
  Symbol y = x;
  const std::vector<size_t> order = read_permutation(n, x.axes.size());
  for (size_t i = 0; i < order.size(); ++i) y.axes[i] = x.axes[order[i]];
  n.output(0, std::move(y));
}

void convert_flatten(NodeScope& n) {
  n.expect_inputs(1, 1);
  const Symbol x = n.value(0);
  const std::vector<int64_t> dims = n.dims(x);
  const int64_t at = n.int_of("axis", 1);
  const auto rank = static_cast<int64_t>(dims.size());
  if (at < -rank || at > rank) return n.invalid(concat("axis ", at, " of ", dims));
  const auto middle = dims.begin() + (at < 0 ? at + rank : at);
  const auto product = [](auto first, auto last) {
    return std::accumulate(first, last, int64_t{1}, std::multiplies<>());
  };
  reshape(n, x, {product(dims.begin(), middle), product(middle, dims.end())});
}

void convert_reshape(NodeScope& n) {
  n.expect_inputs(2, 2);
  const Symbol x = n.value(0);
  const std::vector<int64_t> to = read_target_dims(n, n.dims(x));
  if (n.ok()) reshape(n, x, to);
}

void convert_squeeze(NodeScope& n) {
  n.expect_inputs(1, 2);
  const Symbol x = n.value(0);
  const std::vector<int64_t> dims = n.dims(x);
  const std::vector<bool> gone = read_squeezed_axes(n, dims);
  const bool chosen = n.opset() < 13 ? n.has("axes") : n.has_input(1);
  for (size_t i = 0; i < gone.size(); ++i) {
    if (chosen && gone[i] && x.axes[i] == Role::kBatch) n.unsupported("expected to keep the batch");
  }
  if (!n.ok()) return;
  Symbol y = {.value = x.value, .flattened = x.flattened};
  for (size_t i = 0; i < dims.size(); ++i) {
    if (!gone[i] || x.axes[i] == Role::kBatch) y.axes.push_back(x.axes[i]);
  }
  n.output(0, std::move(y));
}

void convert_unsqueeze(NodeScope& n) {
  n.expect_inputs(1, 2);
  const Symbol x = n.value(0);
  Symbol y = x;
  for (const size_t axis : read_new_axes(n, x.axes.size())) {
    y.axes.insert(y.axes.begin() + static_cast<ptrdiff_t>(axis), Role::kOne);
  }
  n.output(0, std::move(y));
}

void convert_concat(NodeScope& n) {
  if (n.inputs() == 0) return n.invalid("expected inputs");
  const int64_t given = n.int_of("axis", 1);
  if (n.inputs() == 1) return convert_identity(n);
  Symbol like = n.value(0);
  const size_t axis = n.axis(given, like.axes.size());
  std::vector<ValueId> inputs;
  for (size_t i = 0; i < n.inputs() && n.ok(); ++i) {
    Symbol x = n.value(i);
    // A single channel may stand on an axis that came later.
    const bool is_single = axis < x.axes.size() && n.shape(x).c == 1;
    if (is_single && x.axes[axis] == Role::kOne) x.axes[axis] = Role::kChannel;
    if (i == 0) like = x;
    if (x.axes != like.axes || x.flattened.c != 0) {
      n.unsupported(
          concat("inputs: expected axes ", describe_axes(like), ", got ", describe_axes(x)));
    }
    inputs.push_back(x.value);
  }
  if (n.ok() && like.axes[axis] != Role::kChannel) {
    n.unsupported(
        concat("expected to join channels, got axis ", axis, " of ", describe_axes(like)));
  }
  n.output_value(n.add(kConcat, std::move(inputs)), like);
}

void take_shape(NodeScope& n) {
  n.expect_inputs(1, 1);
  const Symbol x = n.input(0);
  const std::vector<int64_t> dims = n.dims(x);
  const auto rank = static_cast<int64_t>(dims.size());
  const auto clamp = [&](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank); };
  const int64_t first = clamp(n.int_of("start", 0)), last = clamp(n.int_of("end", rank));
  Tensor shape = {.dims = {}, .is_integer = true, .floats = {}, .ints = {}};
  bool of_size = false;
  for (int64_t i = first; i < last; ++i) {
    const auto axis = static_cast<size_t>(i);
    shape.ints.push_back(dims[axis]);
    of_size = of_size || (x.is_value() && is_spatial(x.axes[axis]));
  }
  shape.dims = {static_cast<int64_t>(shape.ints.size())};
  n.output_constant(std::move(shape), of_size);
}

void take_size(NodeScope& n) {
  n.expect_inputs(1, 1);
  int64_t elems = 1;
  const Symbol x = n.input(0);
  for (const int64_t dim : n.dims(x)) elems *= dim;  // at most 2^40 for each image
  const bool of_size = std::any_of(x.axes.begin(), x.axes.end(), is_spatial);
  n.output_constant({.dims = {}, .is_integer = true, .floats = {}, .ints = {elems}}, of_size);
}

}  // namespace penult::converters::onnx
