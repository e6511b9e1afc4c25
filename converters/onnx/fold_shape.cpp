// Constants and what moves their numbers around.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "converters/onnx/handlers.h"
#include "converters/onnx/shapes.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

// A tensor of `dims` whose element i is element from[i] of `x`.
Tensor pick(const Tensor& x, std::vector<int64_t> dims, const std::vector<size_t>& from) {
  Tensor y = {.dims = std::move(dims), .is_integer = x.is_integer, .floats = {}, .ints = {}};
  for (const size_t i : from) {
    if (x.is_integer) {
      y.ints.push_back(x.ints[i]);
    } else {
      y.floats.push_back(x.floats[i]);
    }
  }
  return y;
}

size_t product(std::vector<int64_t>::const_iterator first,
               std::vector<int64_t>::const_iterator last) {
  size_t elems = 1;
  for (; first != last; ++first) elems *= static_cast<size_t>(*first);
  return elems;
}

// The tensor with other dims, of as many elements.
void output_as(NodeScope& n, const Constant& x, std::vector<int64_t> dims) {
  if (!n.ok() || !n.reserve(dims)) return;
  Tensor y = *x;
  y.dims = std::move(dims);
  n.output_constant(std::move(y));
}

// Positions of one axis to keep, in this order.
Tensor take_along(const Tensor& x, size_t axis, const std::vector<int64_t>& positions,
                  const std::vector<int64_t>& dims) {
  const auto split = x.dims.begin() + static_cast<ptrdiff_t>(axis);
  const size_t before = product(x.dims.begin(), split), behind = product(split + 1, x.dims.end());
  const auto size = static_cast<size_t>(*split);
  std::vector<size_t> from;
  for (size_t b = 0; b < before; ++b) {
    for (const int64_t position : positions) {
      for (size_t i = 0; i < behind; ++i) {
        from.push_back((b * size + static_cast<size_t>(position)) * behind + i);
      }
    }
  }
  return pick(x, dims, from);
}

}  // namespace

void fold_constant(NodeScope& n) {
  using Kind = Attribute::Kind;
  if (const Attribute* a = n.find("value", Kind::kTensor)) return n.output_constant(a->tensor);
  if (const Attribute* a = n.find("value_float", Kind::kFloat)) {
    return n.output_constant({.dims = {}, .is_integer = false, .floats = {a->f}, .ints = {}});
  }
  if (const Attribute* a = n.find("value_int", Kind::kInt)) {
    return n.output_constant({.dims = {}, .is_integer = true, .floats = {}, .ints = {a->i}});
  }
  if (const Attribute* a = n.find("value_floats", Kind::kFloats)) {
    return n.output_constant({.dims = {static_cast<int64_t>(a->floats.size())},
                              .is_integer = false,
                              .floats = a->floats,
                              .ints = {}});
  }
  if (const Attribute* a = n.find("value_ints", Kind::kInts)) {
    return n.output_constant({.dims = {static_cast<int64_t>(a->ints.size())},
                              .is_integer = true,
                              .floats = {},
                              .ints = a->ints});
  }
  n.unsupported("expected a tensor, floats or integers");
}

void fold_constant_of_shape(NodeScope& n) {
  const std::vector<int64_t> dims = n.ints_at(0);
  const Attribute* given = n.find("value", Attribute::Kind::kTensor);
  Tensor one = {.dims = {1}, .is_integer = false, .floats = {0}, .ints = {}};
  if (given != nullptr) one = given->tensor;
  if (one.elems() != 1) n.invalid("attribute \"value\": expected one number");
  if (!n.ok() || !n.reserve(dims)) return;
  const size_t elems = product(dims.begin(), dims.end());
  n.output_constant(pick(one, dims, std::vector<size_t>(elems, 0)));
}

void fold_cast(NodeScope& n) {
  n.ignore({"saturate", "round_mode"});
  constexpr int64_t kBool = 9;
  const int64_t to = n.int_of("to", 0);
  const bool to_float = to == 1 || to == 10 || to == 11 || to == 16;
  const bool to_int = (to >= 2 && to <= 7) || to == kBool || to == 12 || to == 13;
  const Constant x = n.constant(0);
  if (!to_float && !to_int) return n.unsupported(concat("cast to type ", to));
  if (!n.ok() || !n.reserve(x->dims)) return;
  Tensor y = {.dims = x->dims, .is_integer = to_int, .floats = {}, .ints = {}};
  for (const float f : x->floats) {
    if (to_float) {
      y.floats.push_back(f);
    } else if (std::abs(f) < 9.2e18f) {  // else undefined in C++, and NaN
      y.ints.push_back(to == kBool ? f != 0 : static_cast<int64_t>(f));
    } else {
      return n.invalid("cast of a number that no integer holds");
    }
  }
  for (const int64_t i : x->ints) {
    if (to_float) {
      y.floats.push_back(static_cast<float>(i));
    } else {
      y.ints.push_back(to == kBool ? i != 0 : i);
    }
  }
  n.output_constant(std::move(y));
}

void fold_reshape(NodeScope& n) {
  n.expect_inputs(2, 2);
  const Constant x = n.constant(0);
  output_as(n, x, read_target_dims(n, x->dims));
}

void fold_squeeze(NodeScope& n) {
  n.expect_inputs(1, 2);
  const Constant x = n.constant(0);
  const std::vector<bool> gone = read_squeezed_axes(n, x->dims);
  std::vector<int64_t> dims;
  for (size_t i = 0; i < gone.size(); ++i) {
    if (!gone[i]) dims.push_back(x->dims[i]);
  }
  output_as(n, x, dims);
}

void fold_unsqueeze(NodeScope& n) {
  n.expect_inputs(1, 2);
  const Constant x = n.constant(0);
  std::vector<int64_t> dims = x->dims;
  for (const size_t axis : read_new_axes(n, dims.size())) {
    dims.insert(dims.begin() + static_cast<ptrdiff_t>(axis), 1);
  }
  output_as(n, x, dims);
}

void fold_transpose(NodeScope& n) {
  const Constant x = n.constant(0);
  const std::vector<size_t> order = read_permutation(n, x->dims.size());
  if (!n.ok() || !n.reserve(x->dims)) return;
  const size_t rank = order.size(), elems = product(x->dims.begin(), x->dims.end());
  std::vector<size_t> strides(rank, 1);
  for (size_t i = rank; i-- > 1;) strides[i - 1] = strides[i] * static_cast<size_t>(x->dims[i]);
  std::vector<int64_t> dims;
  for (const size_t axis : order) dims.push_back(x->dims[axis]);
  std::vector<size_t> from(elems);
  for (size_t i = 0; i < elems; ++i) {
    size_t rest = i;
    for (size_t k = rank; k-- > 0;) {
      from[i] += rest % static_cast<size_t>(dims[k]) * strides[order[k]];
      rest /= static_cast<size_t>(dims[k]);
    }
  }
  n.output_constant(pick(*x, dims, from));
}

void fold_concat(NodeScope& n) {
  if (n.inputs() == 0) return n.invalid("expected inputs");
  const Constant first = n.constant(0);
  const size_t axis = n.axis(n.int_of("axis", 1), first->dims.size());
  if (!n.ok()) return;
  std::vector<int64_t> dims = first->dims;
  dims[axis] = 0;
  for (size_t i = 0; i < n.inputs(); ++i) {
    const Constant x = n.constant(i);
    std::vector<int64_t> alike = x->dims;
    if (alike.size() == dims.size()) alike[axis] = first->dims[axis];
    if (!n.ok() || alike != first->dims || x->is_integer != first->is_integer) {
      return n.invalid(concat("shapes ", first->dims, " and ", x->dims, " do not fit"));
    }
    dims[axis] += x->dims[axis];
  }
  if (!n.reserve(dims)) return;
  Tensor y = {.dims = dims, .is_integer = first->is_integer, .floats = {}, .ints = {}};
  const auto split = dims.begin() + static_cast<ptrdiff_t>(axis);
  for (size_t b = 0; b < product(dims.begin(), split); ++b) {
    for (size_t i = 0; i < n.inputs(); ++i) {
      const Tensor& x = *n.constant(i);
      const size_t length = static_cast<size_t>(x.dims[axis]) * product(split + 1, dims.end());
      const auto at = static_cast<ptrdiff_t>(b * length), end = at + static_cast<ptrdiff_t>(length);
      if (x.is_integer) {
        y.ints.insert(y.ints.end(), x.ints.begin() + at, x.ints.begin() + end);
      } else {
        y.floats.insert(y.floats.end(), x.floats.begin() + at, x.floats.begin() + end);
      }
    }
  }
  n.output_constant(std::move(y));
}

void fold_gather(NodeScope& n) {
  n.expect_inputs(2, 2);
  const Constant x = n.constant(0);
  std::vector<int64_t> indices = n.ints_at(1);
  const size_t axis = n.axis(n.int_of("axis", 0), x->dims.size());
  if (!n.ok()) return;
  const int64_t size = x->dims[axis];
  for (int64_t& index : indices) {
    if (index < 0) index += size;
    if (index < 0 || index >= size) return n.invalid(concat("index out of 0 to ", size - 1));
  }
  std::vector<int64_t> dims = x->dims;
  const auto place = dims.erase(dims.begin() + static_cast<ptrdiff_t>(axis));
  const std::vector<int64_t>& inner = n.constant(1)->dims;
  dims.insert(place, inner.begin(), inner.end());
  if (n.reserve(dims)) n.output_constant(take_along(*x, axis, indices, dims));
}

void fold_slice(NodeScope& n) {
  if (!n.reserve(n.constant(0)->dims)) return;
  Tensor x = *n.constant(0);
  for (const AxisSlice& slice : read_slices(n, x.dims)) {
    if (!n.reserve(x.dims)) return;
    std::vector<int64_t> kept, dims = x.dims;
    for (int64_t i = 0; i < slice.count; ++i) kept.push_back(slice.first + i * slice.step);
    dims[slice.axis] = slice.count;
    x = take_along(x, slice.axis, kept, dims);
  }
  n.output_constant(std::move(x));
}

void fold_split(NodeScope& n) {
  n.expect_inputs(1, 2);
  const Constant x = n.constant(0);
  const size_t axis = n.axis(n.int_of("axis", 0), x->dims.size());
  if (!n.ok() || !n.reserve(x->dims)) return;
  int64_t first = 0;
  const std::vector<int64_t> sizes = read_split(n, x->dims[axis]);
  for (size_t i = 0; i < sizes.size(); ++i) {
    std::vector<int64_t> kept(static_cast<size_t>(sizes[i])), dims = x->dims;
    std::iota(kept.begin(), kept.end(), first);
    first += dims[axis] = sizes[i];
    n.output(i, {.constant = std::make_shared<Tensor>(take_along(*x, axis, kept, dims))});
  }
}

void fold_range(NodeScope& n) {
  n.expect_inputs(3, 3);
  const std::vector<int64_t> start = n.ints_at(0), limit = n.ints_at(1), step = n.ints_at(2);
  constexpr int64_t kMost = int64_t{1} << 40;
  const auto fits = [&](const std::vector<int64_t>& x) {
    return x.size() == 1 && x[0] > -kMost && x[0] < kMost;
  };
  if (!n.ok() || !fits(start) || !fits(limit) || !fits(step) || step[0] == 0) {
    return n.invalid("expected three numbers between -2^40 and 2^40, the last not 0");
  }
  const int64_t sign = step[0] < 0 ? -1 : 1, room = sign * (limit[0] - start[0]);
  const int64_t count = room <= 0 ? 0 : (room - 1) / (sign * step[0]) + 1;
  if (!n.reserve({count})) return;
  Tensor y = {.dims = {count}, .is_integer = true, .floats = {}, .ints = {}};
  for (int64_t i = 0; i < count; ++i) y.ints.push_back(start[0] + i * step[0]);
  n.output_constant(std::move(y));
}

}  // namespace penult::converters::onnx
