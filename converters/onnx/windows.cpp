#include "converters/onnx/windows.h"

#include <algorithm>

#include "engine/base/text.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {
namespace {

// SAME with the odd pixel before, at this size: the engine's own rule puts it behind.
void pad_lower(NodeScope& n, WindowSpec& spec, const std::vector<int64_t>& in) {
  for (size_t i = 0; i < 2; ++i) {
    const int64_t size = in[2 + i], stride = spec.strides[i];
    const int64_t reach = (spec.kernel[i] - 1) * spec.dilations[i] + 1;
    if (stride > 1 && reach > 1) n.made_for_size();
    const int64_t out = (size + stride - 1) / stride;
    const int64_t total = std::max<int64_t>((out - 1) * stride + reach - size, 0);
    spec.pads[i] = total - total / 2;
    spec.pads[2 + i] = total / 2;
  }
}

bool all_within(const std::vector<int64_t>& numbers, int64_t lo, int64_t hi) {
  return std::all_of(numbers.begin(), numbers.end(), [=](int64_t i) { return i >= lo && i <= hi; });
}

void read_padding(NodeScope& n, WindowSpec& spec, const std::vector<int64_t>& in) {
  const std::string mode = n.string_of("auto_pad", "NOTSET");
  const std::vector<int64_t> pads = n.ints_of("pads", {0, 0, 0, 0});
  if (!n.ok()) return;
  if (mode == "SAME_UPPER") {
    spec.is_same = true;
  } else if (mode == "SAME_LOWER") {
    pad_lower(n, spec, in);
  } else if (mode == "NOTSET" || mode.empty()) {
    spec.pads = pads;
  } else if (mode != "VALID") {
    n.unsupported(concat("auto_pad ", quote(mode)));
  }
}

}  // namespace

Attributes WindowSpec::attributes() const {
  Attributes attrs;
  attrs.set("strides", strides);
  attrs.set("pads", pads);
  attrs.set("pad_mode", is_same ? 1 : 0);
  return attrs;
}

WindowSpec read_windows(NodeScope& n, std::vector<int64_t> kernel, const std::vector<int64_t>& in) {
  constexpr int64_t kMost = 65'535;  // keeps all sums small; operators have limits of their own
  WindowSpec spec;
  spec.kernel = n.ints_of("kernel_shape", std::move(kernel));
  spec.strides = n.ints_of("strides", {1, 1});
  spec.dilations = n.ints_of("dilations", {1, 1});
  if (spec.kernel.size() == 2 && spec.strides.size() == 2 && spec.dilations.size() == 2 &&
      all_within(spec.kernel, 1, kMost) && all_within(spec.strides, 1, kMost) &&
      all_within(spec.dilations, 1, kMost)) {
    read_padding(n, spec, in);
  } else {
    n.unsupported(concat("expected a window of two axes, got kernel ", spec.kernel, ", strides ",
                         spec.strides, ", dilations ", spec.dilations));
  }
  if (spec.pads.size() != 4 || !all_within(spec.pads, 0, kMost)) {
    n.unsupported(concat("expected four pads of 0 to ", kMost, ", got ", spec.pads));
    spec.pads.assign(4, 0);
  }
  spec.kernel.resize(2, 1);
  return spec;
}

ValueId merge_pads(NodeScope& n, ValueId x, WindowSpec& spec) {
  const penult::Node* pad = n.ok() && !spec.is_same ? n.graph().producer(x) : nullptr;
  if (pad == nullptr || pad->op != &kPad) return x;
  const std::vector<int64_t>& pads = pad->attrs.find("pads")->ints;
  if (!all_within(pads, 0, Graph::kMaxDim)) return x;
  for (size_t i = 0; i < 4; ++i) spec.pads[i] += pads[i];
  return pad->inputs[0];
}

}  // namespace penult::converters::onnx
