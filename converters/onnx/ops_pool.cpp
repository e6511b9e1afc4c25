// Pooling, means over height and width, padding.

#include <algorithm>

#include "converters/onnx/handlers.h"
#include "converters/onnx/layout.h"
#include "converters/onnx/windows.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

const std::vector<Role> kMapAxes = {Role::kBatch, Role::kChannel, Role::kRow, Role::kColumn};
const std::vector<Role> kPixelAxes = {Role::kBatch, Role::kChannel, Role::kOne, Role::kOne};

// The mean over all pixels; a vector is its own.
ValueId mean_of_map(NodeScope& n, const Symbol& x) {
  return n.shape(x).is_map() ? n.add(kGlobalAvgPool, {x.value}) : x.value;
}

bool is_identity(const WindowSpec& spec) {
  const std::vector<int64_t> one = {1, 1};
  return spec.kernel == one && spec.strides == one && !spec.is_padded();
}

}  // namespace

void convert_max_pool(NodeScope& n) {
  n.expect_inputs(1, 1);
  n.ignore({"storage_order"});  // of the indices, which nothing may read
  const Symbol x = n.value(0);
  expect_nchw(n, x);
  const WindowSpec spec = read_windows(n, {}, n.dims(x));
  const int64_t ceil_mode = n.int_of("ceil_mode", 0);
  if (is_identity(spec)) return n.output_value(x.value, x);
  Attributes attrs = spec.attributes();
  attrs.set("kernel", spec.kernel);
  attrs.set("dilations", spec.dilations);
  attrs.set("ceil_mode", ceil_mode);
  const ValueId y = n.add(kMaxPool2d, {x.value}, {}, std::move(attrs));
  n.output(0, {.value = y, .axes = kMapAxes});
}

void convert_average_pool(NodeScope& n) {
  n.expect_inputs(1, 1);
  const Symbol x = n.value(0);
  expect_nchw(n, x);
  WindowSpec spec = read_windows(n, {}, n.dims(x));
  const int64_t ceil_mode = n.int_of("ceil_mode", 0);
  int64_t counts_pads = n.int_of("count_include_pad", 0);
  if (spec.dilations != std::vector<int64_t>{1, 1}) n.unsupported("expected dilations of 1");
  if (!n.ok() || is_identity(spec)) return n.output_value(x.value, x);
  ValueId source = x.value;
  // Zeros around the map that count: an average that includes its padding. Before anything else, so
  // that a map of one pixel, padded to the window's size, stays a map.
  if (!spec.is_padded() && ceil_mode == 0) {
    source = merge_pads(n, x.value, spec);
    if (source != x.value) counts_pads = 1;
  }
  const std::vector<int64_t> dims = n.dims(x);
  if (spec.kernel == std::vector<int64_t>{dims[2], dims[3]} && !spec.is_padded()) {
    if (n.open_size()) n.made_for_size();  // larger maps have several such windows
    return n.output(0, {.value = mean_of_map(n, x), .axes = kPixelAxes});
  }
  Attributes attrs = spec.attributes();
  attrs.set("kernel", spec.kernel);
  attrs.set("ceil_mode", ceil_mode);
  attrs.set("count_include_pad", counts_pads);
  const ValueId y = n.add(kAvgPool2d, {source}, {}, std::move(attrs));
  n.output(0, {.value = y, .axes = kMapAxes});
}

void convert_global_average_pool(NodeScope& n) {
  n.expect_inputs(1, 1);
  const Symbol x = n.value(0);
  expect_nchw(n, x);
  n.output(0, {.value = mean_of_map(n, x), .axes = kPixelAxes});
}

// A window as large as the map.
void convert_global_max_pool(NodeScope& n) {
  n.expect_inputs(1, 1);
  const Symbol x = n.value(0);
  expect_nchw(n, x);
  if (!n.ok() || !n.shape(x).is_map()) return n.output_value(x.value, x);
  n.made_for_size();
  Attributes attrs;
  attrs.set("kernel", {n.shape(x).h, n.shape(x).w});
  attrs.set("strides", {1, 1});
  const ValueId y = n.add(kMaxPool2d, {x.value}, {}, std::move(attrs));
  n.output(0, {.value = y, .axes = kMapAxes});
}

void convert_reduce_mean(NodeScope& n) {
  n.expect_inputs(1, 2);
  const Symbol x = n.value(0);
  const size_t rank = x.axes.size();
  std::vector<bool> reduced(rank, false);
  const auto axes = n.ints_of_or_at("axes", 18, 1);
  const bool keeps_dims = n.int_of("keepdims", 1) != 0;
  const bool none_is_all = n.int_of("noop_with_empty_axes", 0) == 0;
  if (axes && !axes->empty()) {
    for (const int64_t axis : *axes) reduced[n.axis(axis, rank)] = true;
  } else if (none_is_all) {
    reduced.assign(rank, true);
  }
  if (std::find(reduced.begin(), reduced.end(), true) == reduced.end()) {
    return n.output_value(x.value, x);
  }
  const std::vector<int64_t> dims = n.dims(x);
  Symbol y = {.axes = {}, .flattened = x.flattened};
  for (size_t i = 0; i < rank; ++i) {
    const bool spatial = x.axes[i] == Role::kRow || x.axes[i] == Role::kColumn;
    if (reduced[i] ? !spatial && dims[i] != 1 : spatial && dims[i] != 1) {
      return n.unsupported(concat("expected the mean over height and width, got axis ", i, " of ",
                                  describe_axes(x)));
    }
    if (!reduced[i] || keeps_dims) {
      y.axes.push_back(reduced[i] || spatial ? Role::kOne : x.axes[i]);
    }
  }
  y.value = mean_of_map(n, x);
  n.output(0, std::move(y));
}

void convert_pad(NodeScope& n) {
  n.expect_inputs(1, 4);
  const Symbol x = n.value(0);
  const size_t rank = x.axes.size();
  if (n.string_of("mode", "constant") != "constant") n.unsupported("expected mode constant");
  float filling = n.float_of("value", 0);
  if (n.opset() >= 11 && n.has_input(2)) {
    const Constant value = n.constant(2);
    filling = value->floats.size() == 1 ? value->floats[0] : 1;
  }
  if (filling != 0) n.unsupported("expected padding of zeros");
  const auto pads = n.ints_of_or_at("pads", 11, 1);
  std::vector<size_t> axes;
  if (n.has_input(3)) {
    for (const int64_t axis : n.ints_at(3)) axes.push_back(n.axis(axis, rank));
  } else {
    for (size_t i = 0; i < rank; ++i) axes.push_back(i);
  }
  if (!n.ok() || !pads || pads->size() != 2 * axes.size()) {
    return n.invalid(concat("expected ", 2 * axes.size(), " pads"));
  }
  std::vector<int64_t> ours(4, 0);
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t before = (*pads)[i], behind = (*pads)[axes.size() + i];
    const Role role = x.axes[axes[i]];
    if (role == Role::kRow || role == Role::kColumn) {
      ours[role == Role::kRow ? 0 : 1] = before;
      ours[role == Role::kRow ? 2 : 3] = behind;
    } else if (before != 0 || behind != 0) {
      return n.unsupported(concat("expected padding of height and width, got ", *pads));
    }
  }
  if (ours == std::vector<int64_t>(4, 0)) return n.output_value(x.value, x);
  Attributes attrs;
  attrs.set("pads", ours);
  n.output_value(n.add(kPad, {x.value}, {}, std::move(attrs)), x);
}

}  // namespace penult::converters::onnx
