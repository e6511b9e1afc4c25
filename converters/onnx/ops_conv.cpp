// Convolution and batch normalisation.

#include <algorithm>

#include "converters/onnx/handlers.h"
#include "converters/onnx/layout.h"
#include "converters/onnx/windows.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

// A convolution of a pooled value, as squeeze and excitation has it.
ValueId conv_of_pixel(NodeScope& n, ValueId x, WeightId bias, const WindowSpec& spec,
                      const Constant& weight, int64_t groups) {
  const std::vector<int64_t>& dims = weight->dims;
  if (spec.kernel != std::vector<int64_t>{1, 1} || groups != 1 || spec.is_padded()) {
    n.unsupported("expected a 1x1 convolution in one group, without padding, of a pooled value");
    return x;
  }
  return n.add(kLinear, {x}, {n.weight(n.node().inputs[1], weight, {dims[0], dims[1]}), bias});
}

}  // namespace

void convert_conv(NodeScope& n) {
  n.expect_inputs(2, 3);
  const Symbol x = n.value(0);
  const Constant weight = n.constant(1);
  expect_nchw(n, x);
  if (n.ok() && weight->dims.size() != 4) {
    n.unsupported(concat("expected weights (oc,ic,kh,kw), got ", weight->dims));
  }
  if (!n.ok()) return;
  const std::vector<int64_t>& dims = weight->dims;
  WindowSpec spec = read_windows(n, {dims[2], dims[3]}, n.dims(x));
  const int64_t groups = n.int_of("group", 1);
  if (spec.kernel != std::vector<int64_t>{dims[2], dims[3]}) {
    n.invalid(concat("expected weights of kernel ", spec.kernel, ", got ", dims));
  }
  const WeightId bias =
      n.has_input(2) ? n.weight(n.node().inputs[2], n.constant(2), {dims[0]}) : kNoWeight;
  if (!n.shape(x).is_map()) {
    const ValueId y = conv_of_pixel(n, x.value, bias, spec, weight, groups);
    return n.output(0, {.value = y, .axes = x.axes});
  }
  const ValueId source = merge_pads(n, x.value, spec);
  Attributes attrs = spec.attributes();
  attrs.set("dilations", spec.dilations);
  attrs.set("groups", groups);
  const WeightId id = n.weight(n.node().inputs[1], weight, dims);
  const ValueId y = n.add(kConv2d, {source}, {id, bias}, std::move(attrs));
  n.output(0, {.value = y, .axes = {Role::kBatch, Role::kChannel, Role::kRow, Role::kColumn}});
}

void convert_batchnorm(NodeScope& n) {
  n.expect_inputs(5, 5);
  n.ignore({"momentum", "consumed_inputs"});
  const bool is_training =
      n.opset() < 7 ? n.int_of("is_test", 0) == 0 : n.int_of("training_mode", 0) != 0;
  if (n.opset() < 9 && n.int_of("spatial", 1) != 1) n.unsupported("expected spatial 1");
  if (is_training) n.unsupported("expected stored statistics, not training");
  const Symbol x = n.value(0);
  const auto channel = find_axis(x, Role::kChannel);
  if (channel != 1) {
    return n.unsupported(concat("expected channels on axis 1, got ", describe_axes(x)));
  }
  const ChannelOrder order(x);
  const int64_t c = n.shape(x).c;
  std::vector<WeightId> weights;
  for (size_t i = 1; i < 5 && n.ok(); ++i) {
    const Constant tensor = n.constant(i);
    if (!n.ok()) return;
    if (i == 4 && std::any_of(tensor->floats.begin(), tensor->floats.end(),
                              [](float var) { return var < 0; })) {
      n.invalid(concat("tensor ", quote(n.node().inputs[i]), ": expected no variance below 0"));
    }
    if (order.is_ours() || tensor->floats.size() != static_cast<size_t>(c)) {
      weights.push_back(n.weight(n.node().inputs[i], tensor, {c}));
      continue;
    }
    if (!n.reserve({c})) return;
    std::vector<float> ours(tensor->floats.size());
    for (size_t k = 0; k < ours.size(); ++k) ours[order(k)] = tensor->floats[k];
    weights.push_back(n.weight(n.node().inputs[i], std::move(ours), {c}));
  }
  Attributes attrs;
  attrs.set_float("eps", n.float_of("epsilon", 1e-5f));
  n.output_value(n.add(kBatchnorm, {x.value}, weights, std::move(attrs)), x);
}

}  // namespace penult::converters::onnx
