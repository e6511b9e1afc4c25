#pragma once

#include "converters/onnx/onnx_model.h"

namespace penult::converters::onnx {

// Puts every node behind those whose values it reads. The standard demands that order, but ONNX
// Runtime does not, nor do tools that write for it. Always the first in the file's order of the
// nodes that can be next, so that a model in order stays as it is. Each name must have at most one
// source. FormatCorrupt: a name without a source, or a cycle.
Status sort_nodes(OnnxModel& model);

}  // namespace penult::converters::onnx
