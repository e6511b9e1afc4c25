#pragma once

// Where several nodes of a file are one of our operators. What was read in between goes away in the
// end unless something else reads it.

#include <vector>

#include "converters/onnx/node_scope.h"

namespace penult::converters::onnx {

// One number for all, or one for each channel.
using PerChannel = std::vector<float>;

// scale * x + shift: a batchnorm of mean 0 and variance 1, which is exact, and which folds into the
// layer before. A part of hard_sigmoid or hard_swish where it completes one; x itself if it does
// nothing.
ValueId affine(NodeScope& n, ValueId x, PerChannel scale, PerChannel shift);

// min(max(x, lo), hi): relu, relu6, hard_sigmoid, clip, or x if there are no limits.
ValueId clamp(NodeScope& n, ValueId x, float lo, float hi);

// a * b: silu(x) = x * sigmoid(x), hard_swish(x) = x * hard_sigmoid(x), or mul.
ValueId multiply(NodeScope& n, ValueId a, ValueId b);

}  // namespace penult::converters::onnx
