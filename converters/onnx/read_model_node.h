#pragma once

// One node of an ONNX graph, from its encoded bytes.

#include <span>
#include <string>
#include <string_view>

#include "converters/onnx/external_data.h"
#include "converters/onnx/onnx_model.h"

namespace penult::converters::onnx {

// Errors name the node, else as those of read_tensor.
Result<Node> read_node(std::span<const uint8_t> bytes, size_t index, ExternalData& external);

// For messages: by its name, or by its place in the file if it has none.
std::string describe_node(const Node& node, size_t index);

// The module that a node's name tells, as PyTorch's TorchScript exporter makes it:
// "/layer1/layer1.0/conv1/Conv" -> "layer1.0.conv1"; empty if the name is none of those.
std::string module_of_name(std::string_view name);

// The same of its metadata pkg.torch.onnx.name_scopes, a Python list as text:
// "['', 'layer1', 'layer1.0', 'layer1.0.conv1', 'conv2d']" -> "layer1.0.conv1": the last is the
// node itself.
std::string module_of_scopes(std::string_view scopes);

// "ai.onnx" is another spelling of "".
std::string domain_name(const std::string& domain);

}  // namespace penult::converters::onnx
