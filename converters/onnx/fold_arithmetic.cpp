// Arithmetic of constants: integers wrap as everybody's do, a division by zero is an error.

#include <algorithm>
#include <cmath>
#include <limits>

#include "converters/onnx/handlers.h"
#include "engine/base/text.h"

namespace penult::converters::onnx {
namespace {

// The dims of two tensors joined as NumPy broadcasts them.
std::vector<int64_t> join_dims(NodeScope& n, const std::vector<int64_t>& a,
                               const std::vector<int64_t>& b) {
  std::vector<int64_t> dims(std::max(a.size(), b.size()), 1);
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (da != db && da != 1 && db != 1) n.invalid(concat("shapes ", a, " and ", b, " do not fit"));
    dims[dims.size() - 1 - i] = da == 1 ? db : da;
  }
  return dims;
}

// Index into a tensor of `dims` of the element at `i` of the joined one.
size_t source_index(size_t i, const std::vector<int64_t>& joined,
                    const std::vector<int64_t>& dims) {
  size_t index = 0, stride = 1;
  for (size_t k = 0; k < joined.size(); ++k) {  // from the last axis
    const auto size = static_cast<size_t>(joined[joined.size() - 1 - k]);
    const size_t at = i % size;
    i /= size;
    if (k >= dims.size()) continue;
    const auto own = static_cast<size_t>(dims[dims.size() - 1 - k]);
    index += own == 1 ? 0 : at * stride;
    stride *= own;
  }
  return index;
}

// `a` with the dims of the joined tensor.
Tensor broadcast(const Tensor& a, const std::vector<int64_t>& joined, size_t elems) {
  Tensor wide = {.dims = joined, .is_integer = a.is_integer, .floats = {}, .ints = {}};
  for (size_t i = 0; i < elems; ++i) {
    const size_t from = source_index(i, joined, a.dims);
    if (a.is_integer) {
      wide.ints.push_back(a.ints[from]);
    } else {
      wide.floats.push_back(a.floats[from]);
    }
  }
  return wide;
}

// Both operands with one shape; false, and an error, if they do not go together.
bool join(NodeScope& n, const Tensor& a, const Tensor& b, Tensor& wide_a, Tensor& wide_b) {
  const std::vector<int64_t> dims = join_dims(n, a.dims, b.dims);
  if (!n.ok() || !n.reserve(dims)) return false;
  size_t elems = 1;
  for (const int64_t dim : dims) elems *= static_cast<size_t>(dim);
  wide_a = broadcast(a, dims, elems);
  wide_b = broadcast(b, dims, elems);
  return true;
}

struct Arithmetic {
  float (*of_floats)(float, float);
  int64_t (*of_ints)(int64_t, int64_t);
};

Tensor apply(NodeScope& n, const Tensor& a, const Tensor& b, const Arithmetic& f) {
  Tensor x, y;
  if (a.is_integer != b.is_integer) n.invalid("inputs: expected one type of numbers");
  if (!n.ok() || !join(n, a, b, x, y)) return {};
  for (size_t i = 0; i < x.floats.size(); ++i) x.floats[i] = f.of_floats(x.floats[i], y.floats[i]);
  for (size_t i = 0; i < x.ints.size(); ++i) x.ints[i] = f.of_ints(x.ints[i], y.ints[i]);
  return x;
}

// Of all inputs, one after the other.
void fold(NodeScope& n, const Arithmetic& f) {
  n.ignore({"broadcast", "axis", "consumed_inputs"});
  const std::string& op = n.node().op;
  if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") n.expect_inputs(2, 2);
  if (n.inputs() == 0) return n.invalid("expected inputs");
  if (n.opset() < 7 && n.has("axis")) n.unsupported("an axis among constants");
  if (!n.reserve(n.constant(0)->dims)) return;
  Tensor result = *n.constant(0);
  for (size_t i = 1; i < n.inputs() && n.ok(); ++i) result = apply(n, result, *n.constant(i), f);
  n.output_constant(std::move(result));
}

void fold_each(NodeScope& n, float (*of_floats)(float), int64_t (*of_ints)(int64_t)) {
  n.expect_inputs(1, 1);
  if (!n.reserve(n.constant(0)->dims)) return;
  Tensor result = *n.constant(0);
  if (result.is_integer && of_ints == nullptr) return n.unsupported("of integers");
  for (float& x : result.floats) x = of_floats(x);
  for (int64_t& x : result.ints) x = of_ints(x);
  n.output_constant(std::move(result));
}

int64_t wrap(uint64_t x) { return static_cast<int64_t>(x); }
uint64_t bits(int64_t x) { return static_cast<uint64_t>(x); }

}  // namespace

void fold_add(NodeScope& n) {
  fold(n, {[](float a, float b) { return a + b; },
           [](int64_t a, int64_t b) { return wrap(bits(a) + bits(b)); }});
}

void fold_sub(NodeScope& n) {
  fold(n, {[](float a, float b) { return a - b; },
           [](int64_t a, int64_t b) { return wrap(bits(a) - bits(b)); }});
}

void fold_mul(NodeScope& n) {
  fold(n, {[](float a, float b) { return a * b; },
           [](int64_t a, int64_t b) { return wrap(bits(a) * bits(b)); }});
}

void fold_div(NodeScope& n) {
  const std::vector<int64_t>& divisors = n.constant(1)->ints;
  if (std::find(divisors.begin(), divisors.end(), 0) != divisors.end()) {
    return n.invalid("a division by zero");
  }
  fold(n, {[](float a, float b) { return a / b; },
           [](int64_t a, int64_t b) { return b == -1 ? wrap(-bits(a)) : a / b; }});
}

void fold_max(NodeScope& n) {
  fold(n, {[](float a, float b) { return std::max(a, b); },
           [](int64_t a, int64_t b) { return std::max(a, b); }});
}

void fold_min(NodeScope& n) {
  fold(n, {[](float a, float b) { return std::min(a, b); },
           [](int64_t a, int64_t b) { return std::min(a, b); }});
}

void fold_equal(NodeScope& n) {
  n.expect_inputs(2, 2);
  const Constant a = n.constant(0), b = n.constant(1);
  Tensor x, y;
  if (a->is_integer != b->is_integer) n.invalid("inputs: expected one type of numbers");
  if (!n.ok() || !join(n, *a, *b, x, y)) return;
  Tensor result = {.dims = x.dims, .is_integer = true, .floats = {}, .ints = {}};
  for (size_t i = 0; i < x.ints.size(); ++i) result.ints.push_back(x.ints[i] == y.ints[i]);
  for (size_t i = 0; i < x.floats.size(); ++i) result.ints.push_back(x.floats[i] == y.floats[i]);
  n.output_constant(std::move(result));
}

void fold_where(NodeScope& n) {
  n.expect_inputs(3, 3);
  const Constant condition = n.constant(0), a = n.constant(1), b = n.constant(2);
  if (!condition->is_integer || a->is_integer != b->is_integer) {
    n.invalid("inputs: expected truth values and two tensors of one type");
  }
  Tensor x, y, where, ignored;
  if (!n.ok() || !join(n, *a, *b, x, y) || !join(n, *condition, x, where, ignored)) return;
  if (where.dims != x.dims) return n.unsupported("expected a condition no larger than its choices");
  for (size_t i = 0; i < where.ints.size(); ++i) {
    if (where.ints[i] != 0) continue;
    if (x.is_integer) {
      x.ints[i] = y.ints[i];
    } else {
      x.floats[i] = y.floats[i];
    }
  }
  n.output_constant(std::move(x));
}

namespace {

// A limit of Clip: attribute or input, or none.
Tensor clip_limit(NodeScope& n, size_t i, const char* name, bool is_lower) {
  const auto most = std::numeric_limits<int64_t>::max();
  const float infinity = std::numeric_limits<float>::infinity();
  Tensor limit;
  limit.floats = {n.opset() < 11 ? n.float_of(name, is_lower ? -infinity : infinity)
                  : is_lower     ? -infinity
                                 : infinity};
  limit.ints = {is_lower ? -most - 1 : most};
  if (n.opset() >= 11 && n.has_input(i)) limit = *n.constant(i);
  return limit;
}

}  // namespace

void fold_clip(NodeScope& n) {
  if (!n.reserve(n.constant(0)->dims)) return;
  Tensor x = *n.constant(0);
  const Tensor lo = clip_limit(n, 1, "min", true), hi = clip_limit(n, 2, "max", false);
  const auto is_one = [&](const Tensor& limit) {
    return x.is_integer ? limit.ints.size() == 1 : limit.floats.size() == 1;
  };
  if (!is_one(lo) || !is_one(hi)) n.invalid("limits: expected one number each");
  if (!n.ok()) return;
  for (float& f : x.floats) f = std::min(std::max(f, lo.floats[0]), hi.floats[0]);
  for (int64_t& i : x.ints) i = std::min(std::max(i, lo.ints[0]), hi.ints[0]);
  n.output_constant(std::move(x));
}

void fold_neg(NodeScope& n) {
  fold_each(
      n, [](float x) { return -x; }, [](int64_t x) { return wrap(-bits(x)); });
}
void fold_ceil(NodeScope& n) {
  fold_each(
      n, [](float x) { return std::ceil(x); }, nullptr);
}
void fold_floor(NodeScope& n) {
  fold_each(
      n, [](float x) { return std::floor(x); }, nullptr);
}
void fold_sqrt(NodeScope& n) {
  fold_each(
      n, [](float x) { return std::sqrt(x); }, nullptr);
}
void fold_reciprocal(NodeScope& n) {
  fold_each(
      n, [](float x) { return 1 / x; }, nullptr);
}

void fold_expand(NodeScope& n) {
  n.expect_inputs(2, 2);
  const Constant x = n.constant(0);
  const Tensor shape = {.dims = n.ints_at(1), .is_integer = true, .floats = {}, .ints = {}};
  const std::vector<int64_t> dims = join_dims(n, x->dims, shape.dims);
  if (!n.ok() || !n.reserve(dims)) return;
  size_t elems = 1;
  for (const int64_t dim : dims) elems *= static_cast<size_t>(dim);
  n.output_constant(broadcast(*x, dims, elems));
}

}  // namespace penult::converters::onnx
