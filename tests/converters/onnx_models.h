#pragma once

// Small ONNX models for tests, and what becomes of them.

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

#include "converters/onnx/import.h"
#include "converters/onnx/onnx_model.h"

namespace penult::converters::onnx {

Attribute an_int(int64_t i);
Attribute ints(std::vector<int64_t> values);
Attribute a_float(float f);
Attribute a_string(std::string s);
Tensor int_tensor(std::vector<int64_t> values);  // of one axis
Tensor numbers(std::vector<int64_t> dims, std::vector<float> values);
Tensor counting(std::vector<int64_t> dims, float step = 1);  // 0, step, 2 * step, ...

// The node is called as its first output.
Node node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
          std::map<std::string, Attribute> attributes = {});

// Input "x" of these dims; the last node's first output is the graph's.
OnnxModel model_of(std::vector<Node> nodes, std::map<std::string, Tensor> tensors = {},
                   std::vector<int64_t> dims = {1, 3, 4, 4}, int64_t opset = 17);

// Imports and validates it. After a failure (which the test reports) an empty one.
ModelData import(OnnxModel model);
// Operators of the graph, in order.
std::vector<std::string> ops(const ModelData& model);
// The last value for the input 0, 1, 2, ... (times 0.1), by the reference executor.
std::vector<float> run(const ModelData& model);
// Imports and runs it: for models of which only the numbers matter.
std::vector<float> run(OnnxModel model);

// The importer refuses it with a message that holds these words.
void expect_refused(OnnxModel model, StatusCode code, const std::string& words,
                    const InputSize& size = {});

}  // namespace penult::converters::onnx
