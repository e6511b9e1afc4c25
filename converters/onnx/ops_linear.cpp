// Matrix products with constants, and softmax.

#include <algorithm>

#include "converters/onnx/handlers.h"
#include "converters/onnx/layout.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

// Channels on the last axis, everything between them and the batch of size 1: rows of a matrix.
bool is_row(NodeScope& n, const Symbol& x) {
  const std::vector<int64_t> dims = n.dims(x);
  if (dims.size() < 2 || x.axes[0] != Role::kBatch) return false;
  for (size_t i = 1; i + 1 < dims.size(); ++i) {
    if (dims[i] != 1) return false;
  }
  return dims.back() == n.shape(x).c && n.shape(x).h == 1 && n.shape(x).w == 1;
}

struct Matrix {
  Constant tensor;
  bool is_transposed;  // (oc, ic), as ours
  float factor;
};

// Our (oc, ic) weights, columns in our order of the input's channels.
WeightId weights(NodeScope& n, const Symbol& x, const std::string& name, const Matrix& m) {
  const std::vector<int64_t>& dims = m.tensor->dims;
  if (!n.ok()) return 0;
  const int64_t ic = n.shape(x).c;
  if (dims.size() != 2 || dims[m.is_transposed ? 1 : 0] != ic || m.tensor->is_integer) {
    n.invalid(concat("tensor ", quote(name), ": expected ",
                     m.is_transposed ? concat("(oc,", ic, ")") : concat("(", ic, ",oc)"), ", got ",
                     dims));
    return 0;
  }
  const ChannelOrder order(x);
  const int64_t oc = dims[m.is_transposed ? 0 : 1];
  if (m.is_transposed && m.factor == 1 && order.is_ours()) {
    return n.weight(name, m.tensor, {oc, ic});
  }
  if (!n.reserve(dims)) return 0;
  const std::vector<float>& from = m.tensor->floats;
  std::vector<float> to(from.size());
  const auto rows = static_cast<size_t>(oc), columns = static_cast<size_t>(ic);
  for (size_t o = 0; o < rows; ++o) {
    for (size_t i = 0; i < columns; ++i) {
      to[o * columns + order(i)] =
          m.factor * from[m.is_transposed ? o * columns + i : i * rows + o];
    }
  }
  return n.weight(name, std::move(to), {oc, ic});
}

// Gemm's third input: nothing, one number, or one for each output.
WeightId bias(NodeScope& n, int64_t oc, float factor) {
  if (!n.has_input(2) || factor == 0 || !n.ok()) return kNoWeight;
  const Constant c = n.constant(2);
  const std::string& name = n.node().inputs[2];
  const bool is_row = !c->dims.empty() && c->dims.back() == oc;
  if (is_row && c->elems() == oc && factor == 1) return n.weight(name, c, {oc});
  if (!n.ok() || c->is_integer || (c->elems() != 1 && (!is_row || c->elems() != oc))) {
    n.unsupported(
        concat("tensor ", quote(name), ": expected (", oc, ") or one number, got ", c->dims));
    return kNoWeight;
  }
  if (!n.reserve({oc})) return kNoWeight;
  std::vector<float> numbers(static_cast<size_t>(oc));
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = factor * c->floats[c->elems() == 1 ? 0 : i];
  }
  return n.weight(name, std::move(numbers), {oc});
}

}  // namespace

void convert_gemm(NodeScope& n) {
  n.expect_inputs(2, 3);
  n.ignore({"broadcast"});  // of opset 6: shapes say it
  const Symbol x = n.value(0);
  if (n.int_of("transA", 0) != 0) return n.unsupported("expected transA 0");
  if (x.axes.size() != 2 || !is_row(n, x)) {
    return n.unsupported(concat("expected rows (n,c) on the left, got ", describe_axes(x), " of ",
                                n.shape(x).to_string()));
  }
  const Matrix m = {n.constant(1), n.int_of("transB", 0) != 0, n.float_of("alpha", 1)};
  const float beta = n.float_of("beta", 1);
  if (!n.ok()) return;
  const WeightId weight = weights(n, x, n.node().inputs[1], m);
  if (!n.ok()) return;
  const WeightId c = bias(n, m.tensor->dims[m.is_transposed ? 0 : 1], beta);
  const ValueId y = n.add(kLinear, {as_vector(n, x)}, {weight, c});
  n.output(0, {.value = y, .axes = {Role::kBatch, Role::kChannel}});
}

void convert_matmul(NodeScope& n) {
  n.expect_inputs(2, 2);
  const Symbol x = n.value(0);
  if (!n.ok()) return;
  if (!is_row(n, x)) {
    return n.unsupported(concat("expected rows (n,c) on the left, got ", describe_axes(x), " of ",
                                n.shape(x).to_string()));
  }
  const WeightId weight = weights(n, x, n.node().inputs[1], {n.constant(1), false, 1});
  Symbol y = {.value = n.add(kLinear, {as_vector(n, x)}, {weight}), .axes = x.axes};
  std::fill(y.axes.begin() + 1, y.axes.end(), Role::kOne);
  y.axes.back() = Role::kChannel;
  n.output(0, std::move(y));
}

void convert_softmax(NodeScope& n) {
  n.expect_inputs(1, 1);
  const Symbol x = n.value(0);
  const bool flattens = n.opset() < 13;
  const size_t rank = x.axes.size(), axis = n.axis(n.int_of("axis", flattens ? 1 : -1), rank);
  const std::vector<int64_t> dims = n.dims(x);
  bool fits = true;  // all that it sums over are the channels, and all the channels
  for (size_t i = 0; i < rank; ++i) {
    const bool summed = flattens ? i >= axis : i == axis;
    fits = fits && (summed == (x.axes[i] == Role::kChannel) || dims[i] == 1);
  }
  if (!fits) {
    return n.unsupported(concat("expected a softmax over the channels of a vector, got axis ", axis,
                                " of ", describe_axes(x), " ", n.shape(x).to_string()));
  }
  n.output_value(n.add(kSoftmax, {as_vector(n, x)}), x);
}

}  // namespace penult::converters::onnx
