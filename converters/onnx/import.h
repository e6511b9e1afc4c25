#pragma once

// An ONNX model becomes a graph. Handlers (handlers.cpp) do it node by node; this walks the nodes.

#include "converters/importer.h"
#include "converters/onnx/onnx_model.h"

namespace penult::converters::onnx {

struct InputSize {
  int64_t h = 0, w = 0;  // where the file leaves them open; both 0: 224
};

// FormatUnsupported with all operators that penult does not know, or with the node that says
// something else that it does not; ModelInvalid where the file contradicts itself.
Result<SourceGraph> import_model(OnnxModel&& model, const InputSize& size);

// A file of the format, for the registry: read_onnx_model and import_model.
Result<SourceGraph> read_onnx(const std::string& path, const ReadOptions& options);

// As import_model, for any input: of ranks 1 (n) to 4 (n,c,h,w), and any number of
// channels. For tests of single operators.
Result<SourceGraph> import_any(OnnxModel&& model);

}  // namespace penult::converters::onnx
