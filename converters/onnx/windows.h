#pragma once

// What Conv and the pools say about their windows.

#include <vector>

#include "converters/onnx/node_scope.h"

namespace penult::converters::onnx {

struct WindowSpec {
  std::vector<int64_t> kernel, strides, dilations;  // two each
  std::vector<int64_t> pads = {0, 0, 0, 0};         // top, left, bottom, right
  bool is_same = false;  // pads by TensorFlow's SAME rule, whatever the size

  bool is_padded() const { return is_same || pads != std::vector<int64_t>(4, 0); }
  // strides, pads and pad_mode
  Attributes attributes() const;
};

// `kernel`: where the node does not give it; empty if it must. `in`: the input's (n,c,h,w).
WindowSpec read_windows(NodeScope& n, std::vector<int64_t> kernel, const std::vector<int64_t>& in);

// Pads that came in a node of their own: the value before it, or x. They are added to `spec`.
ValueId merge_pads(NodeScope& n, ValueId x, WindowSpec& spec);

}  // namespace penult::converters::onnx
