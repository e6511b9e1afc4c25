#include "engine/graph/receptive_field.h"

#include <algorithm>

#include "engine/ops/node_args.h"
#include "engine/ops/window.h"

namespace penult {
namespace {

using FieldAxis = ReceptiveField::Axis;

// Far above any input, and its product with a window (2^22 pixels at most) stays within 64 bits. A
// file may pad, stride and pad again without end.
constexpr int64_t kMaxPixels = int64_t{1} << 40;

int64_t bounded(int64_t pixels) { return std::clamp(pixels, -kMaxPixels, kMaxPixels); }

FieldAxis join(const FieldAxis& a, const FieldAxis& b) {
  return {std::min(a.first, b.first), std::max(a.last, b.last), std::max(a.stride, b.stride)};
}

FieldAxis through(const FieldAxis& src, const Axis& window) {
  const int64_t beyond = window.reach() - 1 - window.pad_before;
  return {.first = bounded(src.first - window.pad_before * src.stride),
          .last = bounded(src.last + beyond * src.stride),
          .stride = bounded(src.stride * window.stride)};
}

bool is_pixel(const Shape& shape) { return shape.h == 1 && shape.w == 1; }

ReceptiveField field_of(const Graph& graph, const Node& node,
                        const std::vector<ReceptiveField>& fields) {
  ReceptiveField field = fields[static_cast<size_t>(node.inputs[0])];
  const Shape& dst = graph.values[static_cast<size_t>(node.output)].shape;
  for (const ValueId id : node.inputs) {
    const ReceptiveField& other = fields[static_cast<size_t>(id)];
    field.rows = join(field.rows, other.rows);
    field.columns = join(field.columns, other.columns);
    // A pixel that meets every pixel of a map was made of the whole of one.
    const bool spreads = node.inputs.size() > 1 && !is_pixel(dst) &&
                         is_pixel(graph.values[static_cast<size_t>(id)].shape);
    field.whole = field.whole || other.whole || spreads;
  }
  field.whole = field.whole || node.op->sees_whole_map;
  if (node.op->windows == nullptr) return field;
  const NodeArgs args(graph, node);
  const Windows windows = node.op->windows(args.with(node.resolved));
  field.rows = through(field.rows, windows.rows);
  field.columns = through(field.columns, windows.columns);
  return field;
}

}  // namespace

std::vector<ReceptiveField> receptive_fields(const Graph& graph) {
  std::vector<ReceptiveField> fields(graph.values.size());
  for (const Node& node : graph.nodes) {
    fields[static_cast<size_t>(node.output)] = field_of(graph, node, fields);
  }
  return fields;
}

}  // namespace penult
