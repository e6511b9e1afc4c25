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

// Channels begin to end of a value.
ValueId cut_channels(NodeScope& n, const Symbol& x, int64_t begin, int64_t end) {
  if (begin == 0 && end == n.shape(x).c) return x.value;
  if (x.flattened.c != 0) {
    n.unsupported("expected a map, or a vector whose channels were one before");
    return x.value;
  }
  Attributes attrs;
  attrs.set("begin", begin);
  attrs.set("end", end);
  return n.add(kSlice, {x.value}, {}, std::move(attrs));
}

// These channels, in this order: what is in order in x in one piece.
ValueId pick_channels(NodeScope& n, const Symbol& x, const std::vector<int64_t>& channels) {
  std::vector<ValueId> pieces;
  for (size_t begin = 0, end = 0; begin < channels.size() && n.ok(); begin = end) {
    end = begin + 1;
    while (end < channels.size() && channels[end] == channels[end - 1] + 1) ++end;
    if (pieces.size() == Graph::kMaxInputs) {
      n.unsupported(concat("expected channels in at most ", Graph::kMaxInputs, " pieces"));
      break;
    }
    pieces.push_back(cut_channels(n, x, channels[begin], channels[end - 1] + 1));
  }
  if (pieces.size() > 1 && x.flattened.c != 0) n.unsupported("expected no flattened map");
  if (!n.ok()) return x.value;
  return pieces.size() == 1 ? pieces[0] : n.add(kConcat, std::move(pieces));
}

}  // namespace

// Of channels: those. Of height and width: a cut, and every stride-th pixel of the rest.
void convert_slice(NodeScope& n) {
  n.expect_inputs(1, 5);
  Symbol x = n.value(0);
  const std::vector<int64_t> dims = n.dims(x);
  std::vector<int64_t> pads(4, 0), strides(2, 1);
  for (const AxisSlice& slice : read_slices(n, dims)) {
    const int64_t size = dims[slice.axis];
    if (is_spatial(x.axes[slice.axis]) && !slice.to_the_end) n.made_for_size();
    if (slice.first == 0 && slice.step == 1 && slice.count == size) continue;
    const Role role = x.axes[slice.axis];
    if (role == Role::kChannel && slice.step == 1 && slice.count > 0) {
      x.value = cut_channels(n, x, slice.first, slice.first + slice.count);
      continue;
    }
    constexpr int64_t kMostPieces = Graph::kMaxInputs;
    if (role == Role::kChannel && slice.count > 0 && slice.count <= kMostPieces) {
      std::vector<int64_t> channels;
      for (int64_t i = 0; i < slice.count; ++i) channels.push_back(slice.first + i * slice.step);
      x.value = pick_channels(n, x, channels);
      continue;
    }
    if ((role != Role::kRow && role != Role::kColumn) || slice.step < 1 || slice.count < 1) {
      return n.unsupported(concat("expected a part of channels, height or width, got axis ",
                                  slice.axis, " of ", describe_axes(x)));
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

// One channel, whose axis goes away, or channels in any order, such as BGR of RGB.
void convert_gather(NodeScope& n) {
  n.expect_inputs(2, 2);
  const Symbol x = n.value(0);
  std::vector<int64_t> channels = n.ints_at(1);
  const size_t axis = n.axis(n.int_of("axis", 0), x.axes.size());
  if (!n.ok()) return;
  const size_t rank = n.constant(1)->dims.size();
  if (rank > 1 || channels.empty() || x.axes[axis] != Role::kChannel) {
    return n.unsupported(concat("expected one channel or a list of some, got ", channels,
                                " of axis ", axis, " of ", describe_axes(x)));
  }
  const int64_t c = n.shape(x).c;
  for (int64_t& channel : channels) {
    if (channel < -c || channel >= c) {
      return n.invalid(concat("index ", channel, " of ", c, " channels"));
    }
    if (channel < 0) channel += c;
  }
  Symbol y = {.value = pick_channels(n, x, channels), .axes = x.axes, .flattened = x.flattened};
  if (rank == 0) y.axes.erase(y.axes.begin() + static_cast<ptrdiff_t>(axis));
  n.output(0, std::move(y));
}

void convert_split(NodeScope& n) {
  n.expect_inputs(1, 2);
  const Symbol x = n.value(0);
  const size_t axis = n.axis(n.int_of("axis", 0), x.axes.size());
  const std::vector<int64_t> sizes = read_split(n, n.dims(x)[axis]);
  if (!n.ok()) return;
  if (x.axes[axis] != Role::kChannel) {
    return n.unsupported(
        concat("expected parts of channels, got axis ", axis, " of ", describe_axes(x)));
  }
  int64_t begin = 0;
  for (size_t i = 0; i < sizes.size() && n.ok(); ++i) {
    // Nothing for a part that has no name.
    if (!n.node().outputs[i].empty()) {
      n.output(i, {.value = cut_channels(n, x, begin, begin + sizes[i]), .axes = x.axes});
    }
    begin += sizes[i];
  }
}

}  // namespace penult::converters::onnx
