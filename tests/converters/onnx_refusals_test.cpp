#include <limits>

#include "tests/converters/onnx_models.h"

namespace penult::converters::onnx {
namespace {

using ::testing::ElementsAre;

constexpr StatusCode kUnsupported = StatusCode::kFormatUnsupported;
constexpr StatusCode kInvalid = StatusCode::kModelInvalid;

Node conv() { return node("Conv", {"x", "w"}, {"y"}); }

TEST(OnnxRefusals, AllUnknownOperatorsAreNamedAtOnce) {
  Node own = node("Relu", {"b"}, {"c"});
  own.domain = "com.acme";
  expect_refused(model_of({node("Resize", {"x"}, {"a"}), node("Resize", {"a"}, {"b"}), own,
                           node("LRN", {"c"}, {"y"})}),
                 kUnsupported,
                 "3 operators that penult does not know in opset 17: LRN (node \"y\"), Relu of "
                 "com.acme (node \"c\"), Resize (nodes \"a\", \"b\")");
}

TEST(OnnxRefusals, QuantisedModelsAreToldFromOtherUnknownOperators) {
  const auto message = [](const char* op, const char* domain) {
    OnnxModel model = model_of({node(op, {"x"}, {"y"})});
    model.nodes[0].domain = domain;
    return import_model(std::move(model), {}).status().message();
  };
  const auto hint = ::testing::EndsWith("(node \"y\"); quantised model, export it in float32");
  for (const char* op : {"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear",
                         "QLinearConv", "QLinearMatMul", "ConvInteger", "MatMulInteger"}) {
    EXPECT_THAT(message(op, ""), hint);
  }
  for (const char* op : {"QLinearAdd", "QLinearGlobalAveragePool", "QGemm", "MatMulNBits"}) {
    EXPECT_THAT(message(op, "com.microsoft"), hint);
  }
  EXPECT_THAT(message("Resize", ""), ::testing::EndsWith("Resize (node \"y\")"));
}

TEST(OnnxRefusals, AnOperatorYoungerThanTheOpsetIsUnknown) {
  const std::vector<Node> nodes = {node("HardSwish", {"x"}, {"y"})};
  expect_refused(model_of(nodes, {}, {1, 3, 4, 4}, 13), kUnsupported, "HardSwish (node \"y\")");
  EXPECT_THAT(ops(import(model_of(nodes, {}, {1, 3, 4, 4}, 14))), ElementsAre("hard_swish"));
}

TEST(OnnxRefusals, NodesThatNoOutputNeedsMayBeAnything) {
  const OnnxModel model = model_of({node("Resize", {"x"}, {"a"}), node("Relu", {"x"}, {"y"})});
  EXPECT_THAT(ops(import(model)), ElementsAre("relu"));
}

TEST(OnnxRefusals, DamagedWeightsAreCounted) {
  Tensor weight = counting({1, 3, 1, 1});
  weight.floats[1] = std::numeric_limits<float>::quiet_NaN();
  expect_refused(model_of({conv()}, {{"w", weight}}), kInvalid,
                 "node \"y\" (Conv): tensor \"w\": 1 of its 3 numbers are not finite, the first "
                 "is number 1");
}

TEST(OnnxRefusals, WeightsThatDoNotFitSayWhatWouldHave) {
  expect_refused(model_of({conv()}, {{"w", counting({8, 4, 1, 1})}}), kInvalid,
                 "node \"y\" (Conv): weight \"weight\": expected (8,3,1,1)");
  expect_refused(model_of({conv()}, {{"w", counting({8, 3, 1})}}), kUnsupported,
                 "expected weights (oc,ic,kh,kw), got (8,3,1)");
  expect_refused(model_of({conv()}), kInvalid, "tensor \"w\" is missing");
  expect_refused(model_of({node("Flatten", {"x"}, {"f"}), node("MatMul", {"f", "w"}, {"y"})},
                          {{"w", counting({47, 2})}}),
                 kInvalid, "expected (48,oc), got (47,2)");
}

TEST(OnnxRefusals, NothingThatTheFileSaysIsPassedOver) {
  Node strange = node("Relu", {"x"}, {"y"}, {{"slope", a_float(1)}});
  expect_refused(model_of({strange}), kUnsupported, "unknown attribute \"slope\"");
  expect_refused(model_of({node("Softmax", {"x"}, {"y"}, {{"axis", a_float(1)}})}), kInvalid,
                 "attribute \"axis\": expected an integer, got a float");
  expect_refused(
      model_of({node("MaxPool", {"x"}, {"y", "indices"}, {{"kernel_shape", ints({2, 2})}}),
                node("Add", {"y", "indices"}, {"z"})}),
      kUnsupported, "output 1 (\"indices\") is used");
  expect_refused(model_of({node("Conv", {"x", "w"}, {"y"}, {{"kernel_shape", ints({3, 3})}})},
                          {{"w", counting({1, 3, 1, 1})}}),
                 kInvalid, "expected weights of kernel (3,3), got (1,3,1,1)");
}

TEST(OnnxRefusals, WhatAnOpsetDoesNotHaveIsNotReadFromAnother) {
  expect_refused(
      model_of({node("GlobalAveragePool", {"x"}, {"p"}), node("Squeeze", {"p", "a"}, {"y"})},
               {{"a", int_tensor({2, 3})}}, {1, 3, 4, 4}, 12),
      kInvalid, "input 1: an attribute before opset 13");
  expect_refused(model_of({node("GlobalAveragePool", {"x"}, {"p"}),
                           node("Squeeze", {"p"}, {"y"}, {{"axes", ints({2, 3})}})}),
                 kUnsupported, "unknown attribute \"axes\"");
}

TEST(OnnxRefusals, WindowsOfOtherRanksAreRefused) {
  OnnxModel model =
      model_of({node("Flatten", {"x"}, {"f"}),
                node("MaxPool", {"f"}, {"y"},
                     {{"kernel_shape", ints({2, 2})}, {"auto_pad", a_string("SAME_LOWER")}})});
  expect_refused(std::move(model), kUnsupported, "expected an input of axes (n,c,h,w), got (n,c)");
  expect_refused(
      model_of({node("MaxPool", {"x"}, {"y"},
                     {{"kernel_shape", ints({2, 2})}, {"pads", ints({0, 0, 0, INT64_MAX})}})}),
      kUnsupported, "expected four pads of 0 to 65535");
}

TEST(OnnxRefusals, NodesMustHaveTheirInputs) {
  const auto refused = [](const char* op, std::vector<std::string> inputs, const char* words) {
    expect_refused(model_of({node("Flatten", {"x"}, {"f"}), node(op, std::move(inputs), {"y"})}),
                   kInvalid, words);
  };
  refused("Gemm", {"f"}, "expected 2 to 3 inputs, got 1");
  refused("MatMul", {"f"}, "expected 2 inputs, got 1");
  refused("Conv", {"x"}, "expected 2 to 3 inputs, got 1");
  refused("Relu", {}, "expected 1 inputs, got 0");
  refused("Concat", {}, "expected inputs");
  refused("BatchNormalization", {"x"}, "expected 5 inputs, got 1");
}

TEST(OnnxRefusals, TrainingIsNotEvaluation) {
  const std::map<std::string, Tensor> tensors = {{"c", counting({3})}};
  const std::vector<std::string> inputs = {"x", "c", "c", "c", "c"};
  expect_refused(
      model_of({node("BatchNormalization", inputs, {"y"}, {{"training_mode", an_int(1)}})},
               tensors),
      kUnsupported, "not training");
  expect_refused(model_of({node("BatchNormalization", inputs, {"y"})}, {{"c", counting({3}, -1)}}),
                 kInvalid, "expected no variance below 0");
}

TEST(OnnxRefusals, TheInputIsOneImage) {
  const std::vector<Node> nodes = {node("Relu", {"x"}, {"y"})};
  OnnxModel two = model_of(nodes);
  two.inputs.push_back({.name = "size", .type = "int64", .dims = {2}});
  expect_refused(two, kUnsupported, "expected one input, the image, got 2: \"x\", \"size\"");
  OnnxModel bytes = model_of(nodes);
  bytes.inputs[0].type = "uint8";
  expect_refused(bytes, kUnsupported,
                 "input \"x\": expected float32, got uint8; export the network with a float input");
  expect_refused(model_of(nodes, {}, {1, 1, 28, 28}), kUnsupported,
                 "expected images (n,3,h,w) or (n,h,w,3), got (1,1,28,28)");
  expect_refused(model_of(nodes), StatusCode::kInvalidArgument,
                 "the file fixes its height to 4 pixels, asked for 8", {.h = 8, .w = 8});
}

TEST(OnnxRefusals, OpenSizesAreWhatTheCallerWants) {
  OnnxModel model = model_of({node("Relu", {"x"}, {"y"})}, {}, {-1, 3, -1, -1});
  const auto usual = import_model(OnnxModel(model), {});
  ASSERT_TRUE(usual.ok()) << usual.status().message();
  EXPECT_EQ(usual->model.info.input_h, 224);
  const auto asked = import_model(std::move(model), {.h = 112, .w = 96});
  ASSERT_TRUE(asked.ok()) << asked.status().message();
  EXPECT_EQ(asked->model.info.preprocess.crop_w, 96);
  EXPECT_EQ(asked->model.info.preprocess.resize, 128);
}

TEST(OnnxRefusals, ConstantsMayNotFillTheMemory) {
  expect_refused(model_of({node("ConstantOfShape", {"s"}, {"c"}), node("Add", {"x", "c"}, {"y"})},
                          {{"s", int_tensor({1 << 20, 1 << 20})}}),
                 StatusCode::kLimitExceeded, "expected the graph to compute at most");
  // An axis of nothing takes time all the same.
  expect_refused(model_of({node("ConstantOfShape", {"s"}, {"c"}), node("Add", {"x", "c"}, {"y"})},
                          {{"s", int_tensor({int64_t{1} << 40, 0})}}),
                 StatusCode::kLimitExceeded, "got a shape of (1099511627776,0)");
}

TEST(OnnxRefusals, ReshapesThatMixAxesAreRefused) {
  expect_refused(
      model_of({node("Reshape", {"x", "to"}, {"y"})}, {{"to", int_tensor({1, 12, 2, 2})}}),
      kUnsupported, "reshape of (1,3,4,4) to (1,12,2,2)");
  expect_refused(model_of({node("Reshape", {"x", "to"}, {"y"})}, {{"to", int_tensor({7, -1})}}),
                 kInvalid, "expected a shape of as many elements");
}

}  // namespace
}  // namespace penult::converters::onnx
