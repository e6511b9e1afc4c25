#pragma once

// Which axis of the file's tensors is which of ours: operators of windows want (n,c,h,w), files
// that came from TensorFlow hold (n,h,w,c) between Transposes, and both are one value to us.

#include <optional>
#include <vector>

#include "converters/onnx/node_scope.h"

namespace penult::converters::onnx {

// Rank 4 and in the order (n,c,h,w); axes of size 1 fit everywhere.
bool is_nchw(const NodeScope& n, const Symbol& symbol);
// Fails with the axes that it has.
void expect_nchw(NodeScope& n, const Symbol& symbol);
// "(n,h,w,c)"
std::string describe_axes(const Symbol& symbol);

// Position of a role among the axes.
std::optional<size_t> find_axis(const Symbol& symbol, Role role);

// The value as a vector: itself, or a map of one pixel flattened.
ValueId as_vector(NodeScope& n, const Symbol& symbol);

// Index in our (c,h,w) order of number i of the file's vector.
class ChannelOrder {
 public:
  explicit ChannelOrder(const Symbol& symbol) : flattened_(symbol.flattened) {}
  bool is_ours() const { return flattened_.c == 0; }
  size_t operator()(size_t i) const;

 private:
  Shape flattened_;
};

// Two values that one operator reads element by element, as NumPy broadcasts them: their axes
// joined. A pixel and a vector become vectors.
struct Aligned {
  ValueId a, b;
  Symbol like;  // axes and order of the result
};
Aligned align(NodeScope& n, const Symbol& a, const Symbol& b);

}  // namespace penult::converters::onnx
