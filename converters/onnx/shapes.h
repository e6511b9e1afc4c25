#pragma once

// What operators that change shapes say about them: the same for values and for constants.

#include <cstdint>
#include <vector>

#include "converters/onnx/node_scope.h"

namespace penult::converters::onnx {

// Transpose: axis i of the result is axis [i] of the input.
std::vector<size_t> read_permutation(NodeScope& n, size_t rank);

// Reshape of `from`: 0 (a copy) and -1 (the rest) replaced by numbers.
std::vector<int64_t> read_target_dims(NodeScope& n, const std::vector<int64_t>& from);

// Squeeze: which axes go; without a list all of size 1.
std::vector<bool> read_squeezed_axes(NodeScope& n, const std::vector<int64_t>& dims);

// Unsqueeze of a tensor of `rank` axes: where in the result the new ones stand, ascending.
std::vector<size_t> read_new_axes(NodeScope& n, size_t rank);

// Slice of a tensor of these dims: for each axis given, the positions that stay are first, first +
// step, ... (count of them).
struct AxisSlice {
  size_t axis;
  int64_t first, step, count;
  bool to_the_end = false;  // whatever the size: all but a few at the start, and at the end
};
std::vector<AxisSlice> read_slices(NodeScope& n, const std::vector<int64_t>& dims);

// Split of an axis of that size: the sizes of the parts, one for each output.
std::vector<int64_t> read_split(NodeScope& n, int64_t size);

}  // namespace penult::converters::onnx
