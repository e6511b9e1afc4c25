#include "converters/onnx/shapes.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "engine/base/checked.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

constexpr int64_t kNoEnd = 0x7fffffff;  // exporters write this or more for "to the end"

// Negative ends count from behind, and both are clamped.
AxisSlice slice_axis(size_t axis, int64_t start, int64_t end, int64_t step, int64_t size) {
  if (size == 0) return {axis, 0, 1, 0};
  // -1 stands before the first position.
  const auto wrap = [&](int64_t i) { return i >= 0 ? i : i < -size ? -1 : i + size; };
  const bool down = step < 0;
  const int64_t first = std::clamp<int64_t>(wrap(start), 0, down ? size - 1 : size);
  const int64_t last = std::clamp<int64_t>(wrap(end), down ? -1 : 0, down ? size - 1 : size);
  step = std::clamp(step, -size, size);  // beyond, there is no second position
  const int64_t room = down ? first - last : last - first;
  const int64_t stride = down ? -step : step;
  const bool to_the_end = start >= 0 && step == 1 && (end < 0 || end >= kNoEnd);
  return {axis, first, step, room <= 0 ? 0 : (room - 1) / stride + 1, to_the_end};
}

}  // namespace

std::vector<size_t> read_permutation(NodeScope& n, size_t rank) {
  std::vector<int64_t> given;
  for (size_t i = rank; i-- > 0;) given.push_back(static_cast<int64_t>(i));
  given = n.ints_of("perm", given);
  std::vector<size_t> order;
  for (const int64_t i : given) order.push_back(static_cast<size_t>(i));
  const std::set<size_t> distinct(order.begin(), order.end());
  if (order.size() == rank && distinct.size() == rank && (rank == 0 || *distinct.rbegin() < rank)) {
    return order;
  }
  n.invalid(concat("perm: expected an order of ", rank, " axes, got ", given));
  return {};
}

std::vector<int64_t> read_target_dims(NodeScope& n, const std::vector<int64_t>& from) {
  std::vector<int64_t> to = n.ints_at(1);
  const bool copies = n.int_of("allowzero", 0) == 0;
  if (!n.ok()) return {};
  const std::vector<int64_t> asked = to;
  const auto elems = checked_product(from);
  size_t rest = to.size();
  for (size_t i = 0; i < to.size(); ++i) {
    if (to[i] == 0 && copies && i < from.size()) to[i] = from[i];
    if (to[i] == -1 && rest == to.size()) {
      rest = i;
      to[i] = 1;
    }
  }
  const auto known = checked_product(to);
  if (known && elems && *known != 0 && *elems % *known == 0) {
    if (rest < to.size()) to[rest] = static_cast<int64_t>(*elems / *known);
    if (checked_product(to) == elems) return to;
  }
  n.invalid(concat("expected a shape of as many elements as ", from, " has, got ", asked));
  return {};
}

std::vector<bool> read_squeezed_axes(NodeScope& n, const std::vector<int64_t>& dims) {
  const auto axes = n.ints_of_or_at("axes", 13, 1);
  std::vector<bool> gone(dims.size(), false);
  if (!axes) {
    for (size_t i = 0; i < dims.size(); ++i) gone[i] = dims[i] == 1;
    return gone;
  }
  for (const int64_t given : *axes) {
    const size_t axis = n.axis(given, dims.size());
    if (!n.ok()) break;
    gone[axis] = true;
    if (dims[axis] != 1) n.invalid(concat("axis ", axis, " of ", dims, " is not of size 1"));
  }
  return gone;
}

std::vector<size_t> read_new_axes(NodeScope& n, size_t rank) {
  const auto axes = n.ints_of_or_at("axes", 13, 1);
  if (!axes) {
    n.invalid("axes are not given");
    return {};
  }
  std::set<size_t> places;
  for (const int64_t axis : *axes) places.insert(n.axis(axis, rank + axes->size()));
  if (places.size() != axes->size())
    n.invalid(concat("axes: expected different ones, got ", *axes));
  if (!n.ok()) return {};
  return {places.begin(), places.end()};
}

std::vector<AxisSlice> read_slices(NodeScope& n, const std::vector<int64_t>& dims) {
  const auto starts = n.ints_of_or_at("starts", 10, 1), ends = n.ints_of_or_at("ends", 10, 2);
  auto axes = n.ints_of_or_at("axes", 10, 3);
  std::vector<int64_t> steps;
  if (n.opset() >= 10 && n.has_input(4)) steps = n.ints_at(4);
  if (!n.ok()) return {};
  const size_t count = starts ? starts->size() : 0;
  if (!axes) {
    axes.emplace(count);
    std::iota(axes->begin(), axes->end(), 0);
  }
  if (steps.empty()) steps.assign(count, 1);
  if (!ends || ends->size() != count || axes->size() != count || steps.size() != count) {
    n.invalid("expected as many starts as ends, axes and steps");
    return {};
  }
  std::vector<AxisSlice> slices;
  std::set<size_t> seen;
  for (size_t i = 0; i < count && n.ok(); ++i) {
    const size_t axis = n.axis((*axes)[i], dims.size());
    if (!seen.insert(axis).second) n.invalid(concat("axis ", axis, " is given twice"));
    if (steps[i] == 0) n.invalid("a step of 0");
    if (n.ok()) slices.push_back(slice_axis(axis, (*starts)[i], (*ends)[i], steps[i], dims[axis]));
  }
  return slices;
}

std::vector<int64_t> read_split(NodeScope& n, int64_t size) {
  const auto given = n.ints_of_or_at("split", 13, 1);
  const auto count = static_cast<int64_t>(n.node().outputs.size());
  std::vector<int64_t> sizes = given.value_or(std::vector<int64_t>());
  if (n.int_of("num_outputs", count) != count) n.invalid("num_outputs is not their number");
  if (!given && count > 0) {  // alike, the last one smaller where that does not go
    const int64_t each = (size + count - 1) / count;
    sizes.assign(static_cast<size_t>(count), each);
    sizes.back() = size - each * (count - 1);
  }
  int64_t sum = 0;
  for (const int64_t part : sizes) sum += part > 0 && part <= size ? part : size + 1;
  if (sum == size && static_cast<int64_t>(sizes.size()) == count) return sizes;
  n.invalid(concat("expected ", count, " parts of ", size, ", got ", sizes));
  return {};
}

}  // namespace penult::converters::onnx
