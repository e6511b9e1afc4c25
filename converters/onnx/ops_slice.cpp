// Parts of values.

#include "converters/onnx/handlers.h"
#include "converters/onnx/layout.h"
#include "converters/onnx/shapes.h"
#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

// Every stride-th row and column from the first on.
ValueId subsample(NodeScope& n, ValueId x, int64_t rows, int64_t columns) {
  if (rows == 1 && columns == 1) return x;
  Attributes attrs;
  attrs.set("kernel", {1, 1});
  attrs.set("strides", {rows, columns});
  return n.add(kMaxPool2d, {x}, {}, std::move(attrs));
}

}  // namespace

// Of height and width: a cut, and every stride-th pixel of the rest.
void convert_slice(NodeScope& n) {
  n.expect_inputs(1, 5);
  const Symbol x = n.value(0);
  const std::vector<int64_t> dims = n.dims(x);
  std::vector<int64_t> pads(4, 0), strides(2, 1);
  for (const AxisSlice& slice : read_slices(n, dims)) {
    const int64_t size = dims[slice.axis];
    if (slice.first == 0 && slice.step == 1 && slice.count == size) continue;
    const Role role = x.axes[slice.axis];
    if ((role != Role::kRow && role != Role::kColumn) || slice.step < 1 || slice.count < 1) {
      return n.unsupported(concat("expected a part of height or width, got axis ", slice.axis,
                                  " of ", describe_axes(x)));
    }
    const size_t side = role == Role::kRow ? 0 : 1;
    pads[side] = -slice.first;
    pads[2 + side] = slice.first + (slice.count - 1) * slice.step + 1 - size;
    strides[side] = slice.step;
  }
  if (pads == std::vector<int64_t>(4, 0)) {
    return n.output_value(subsample(n, x.value, strides[0], strides[1]), x);
  }
  Attributes attrs;
  attrs.set("pads", pads);
  const ValueId cut = n.add(kPad, {x.value}, {}, std::move(attrs));
  n.output_value(subsample(n, cut, strides[0], strides[1]), x);
}

}  // namespace penult::converters::onnx
