#include "tests/converters/onnx_models.h"

#include "engine/exec/reference_executor.h"
#include "engine/ops/op.h"

namespace penult::converters::onnx {

using ::testing::HasSubstr;

Attribute an_int(int64_t i) {
  Attribute attribute;
  attribute.kind = Attribute::Kind::kInt;
  attribute.i = i;
  return attribute;
}

Attribute ints(std::vector<int64_t> values) {
  Attribute attribute;
  attribute.kind = Attribute::Kind::kInts;
  attribute.ints = std::move(values);
  return attribute;
}

Attribute a_float(float f) {
  Attribute attribute;
  attribute.kind = Attribute::Kind::kFloat;
  attribute.f = f;
  return attribute;
}

Attribute a_string(std::string s) {
  Attribute attribute;
  attribute.kind = Attribute::Kind::kString;
  attribute.s = std::move(s);
  return attribute;
}

Tensor int_tensor(std::vector<int64_t> values) {
  Tensor tensor;
  tensor.is_integer = true;
  tensor.dims = {static_cast<int64_t>(values.size())};
  tensor.ints = std::move(values);
  return tensor;
}

Tensor numbers(std::vector<int64_t> dims, std::vector<float> values) {
  Tensor tensor;
  tensor.dims = std::move(dims);
  tensor.floats = std::move(values);
  return tensor;
}

Tensor counting(std::vector<int64_t> dims, float step) {
  Tensor tensor;
  tensor.dims = std::move(dims);
  for (int64_t i = 0; i < tensor.elems(); ++i) {
    tensor.floats.push_back(static_cast<float>(i) * step);
  }
  return tensor;
}

Node node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
          std::map<std::string, Attribute> attributes) {
  Node node;
  node.name = outputs[0];
  node.op = std::move(op);
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node.attributes = std::move(attributes);
  return node;
}

OnnxModel model_of(std::vector<Node> nodes, std::map<std::string, Tensor> tensors,
                   std::vector<int64_t> dims, int64_t opset) {
  OnnxModel model;
  model.opset = opset;
  model.outputs = {nodes.back().outputs[0]};
  model.nodes = std::move(nodes);
  model.initializers = std::move(tensors);
  model.inputs = {{.name = "x", .type = "", .dims = std::move(dims)}};
  return model;
}

ModelData import(OnnxModel model) {
  Result<SourceGraph> source = import_any(std::move(model));
  EXPECT_TRUE(source.ok()) << source.status().message();
  if (!source.ok()) return {};
  Graph& graph = source->model.graph;
  const Status status = validate(graph);
  EXPECT_TRUE(status.ok()) << status.message();
  return status.ok() ? std::move(source->model) : ModelData();
}

std::vector<std::string> ops(const ModelData& model) {
  std::vector<std::string> names;
  for (const penult::Node& node : model.graph.nodes) names.emplace_back(node.op->name);
  return names;
}

std::vector<float> run(const ModelData& model) {
  if (model.graph.nodes.empty()) return {};
  Graph graph = model.graph;
  const ValueId last = graph.nodes.back().output;
  graph.outputs = {last};
  std::vector<float> input(static_cast<size_t>(graph.values[0].shape.elems()));
  for (size_t i = 0; i < input.size(); ++i) input[i] = 0.1f * static_cast<float>(i);
  std::vector<float> output(
      static_cast<size_t>(graph.values[static_cast<size_t>(last)].shape.elems()));
  auto executor = ReferenceExecutor::create(std::move(graph), {{last, Pooling::kNone}});
  EXPECT_TRUE(executor.ok()) << executor.status().message();
  const std::vector<std::span<float>> spans = {output};
  EXPECT_TRUE((*executor)->run({.planar = input.data()}, 1, spans).ok());
  return output;
}

std::vector<float> run(OnnxModel model) { return run(import(std::move(model))); }

void expect_refused(OnnxModel model, StatusCode code, const std::string& words,
                    const InputSize& size) {
  const Result<SourceGraph> source = import_model(std::move(model), size);
  EXPECT_EQ(source.status().code(), code) << source.status().message();
  EXPECT_THAT(source.status().message(), HasSubstr(words));
}

}  // namespace penult::converters::onnx
