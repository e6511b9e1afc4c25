#include "converters/generic_names.h"
#include "converters/onnx/names.h"
#include "tests/converters/onnx_models.h"

namespace penult::converters::onnx {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> tap_names(const ModelData& model) {
  std::vector<std::string> names;
  for (const Tap& tap : model.taps) names.push_back(tap.name);
  return names;
}

Node named(std::string name, Node node) {
  node.name = std::move(name);
  return node;
}

// The tap that an alias stands for, or "" if there is none of that name.
std::string tap_of(const ModelData& model, const std::string& alias) {
  for (const Alias& known : model.aliases) {
    if (known.name == alias) return model.taps[static_cast<size_t>(known.tap)].name;
  }
  return "";
}

TEST(OnnxNames, PathsOfPyTorchAreModules) {
  EXPECT_EQ(module_of_path("/layer1/layer1.0/conv1/Conv"), "layer1.0.conv1");
  EXPECT_EQ(module_of_path("/features/features.2/conv/conv.0/conv.0.0/Conv"),
            "features.2.conv.0.0");
  EXPECT_EQ(module_of_path("/Flatten"), "");
  EXPECT_EQ(module_of_path("conv1/Conv2D"), "");
}

TEST(OnnxNames, ALayerIsCalledAsItsModuleIfItIsAllOfIt) {
  const ModelData model = import(model_of({named("/a/a.0/act/Relu", node("Relu", {"x"}, {"p"})),
                                           named("/a/a.0/Add", node("Add", {"p", "x"}, {"q"})),
                                           named("/a/a.0/act/Relu_1", node("Relu", {"q"}, {"r"})),
                                           named("/b/Sigmoid", node("Sigmoid", {"r"}, {"s"}))}));
  EXPECT_THAT(tap_names(model), ElementsAre("a.0.act.relu", "a.0.add", "a.0.act.relu_1", "b"));
  EXPECT_EQ(tap_of(model, "q"), "a.0.add");
  EXPECT_EQ(tap_of(model, "/b/Sigmoid"), "b");
}

TEST(OnnxNames, WhatMeansSomethingElseIsNoName) {
  const ModelData model = import(
      model_of({named("", node("Relu", {"x"}, {"3"})), named("all", node("Sigmoid", {"3"}, {"-1"})),
                named("all_1", node("Relu", {"-1"}, {"y"})),
                named("sigmoid_all", node("Sigmoid", {"y"}, {"z"}))}));
  EXPECT_THAT(tap_names(model), ElementsAre("relu_3", "sigmoid_all", "all_1", "sigmoid_all_1"));
  EXPECT_EQ(tap_of(model, "3"), "");
  EXPECT_EQ(tap_of(model, "-1"), "");
}

TEST(OnnxNames, AreCutAndEscapedToWhatAModelMayHold) {
  UniqueNames names;
  const std::string long_name(300, 'a');
  const std::string once = names.add(long_name), twice = names.add(long_name);
  EXPECT_LE(once.size(), 255u);
  EXPECT_NE(once, twice);
  EXPECT_EQ(names.add("a\nb"), "a\\x0ab");
  EXPECT_EQ(names.add("ok"), "ok");
  EXPECT_EQ(names.add("ok"), "ok_1");
  EXPECT_EQ(names.add("ok"), "ok_2");
}

TEST(OnnxNames, ValuesWithoutANumberOfTheirOwnShareATap) {
  const ModelData model = import(
      model_of({node("GlobalAveragePool", {"x"}, {"pool"}), node("Flatten", {"pool"}, {"flat"})}));
  EXPECT_THAT(tap_names(model), ElementsAre("pool"));
  EXPECT_EQ(tap_of(model, "flat"), "pool");
}

// Two stages of residual blocks, then a classifier.
ModelData small_resnet() {
  const auto conv = [](const char* x, const char* y, int64_t stride) {
    return node("Conv", {x, "w"}, {y},
                {{"strides", ints({stride, stride})}, {"pads", ints({1, 1, 1, 1})}});
  };
  ModelData model = import(model_of(
      {conv("x", "stem", 1), node("Relu", {"stem"}, {"stem.relu"}), conv("stem.relu", "a", 1),
       node("Add", {"a", "stem.relu"}, {"b"}), node("Relu", {"b"}, {"c"}), conv("c", "d", 2),
       conv("c", "e", 2), node("Add", {"d", "e"}, {"f"}), node("Relu", {"f"}, {"g"}),
       node("GlobalAveragePool", {"g"}, {"pool"}), node("Flatten", {"pool"}, {"flat"}),
       node("Gemm", {"flat", "fc", "bias"}, {"logits"}),
       node("Softmax", {"logits"}, {"scores"}, {{"axis", an_int(1)}})},
      {{"w", counting({3, 3, 3, 3})}, {"fc", counting({3, 5})}, {"bias", counting({5})}}));
  add_generic_names(model);
  return model;
}

TEST(GenericNames, SayWhereStagesEndAndWhatTheClassifierReads) {
  const ModelData model = small_resnet();
  EXPECT_EQ(tap_of(model, "penultimate"), "pool");
  EXPECT_EQ(tap_of(model, "0"), "c");
  EXPECT_EQ(tap_of(model, "-2"), "c");
  EXPECT_EQ(tap_of(model, "1"), "g");
  EXPECT_EQ(tap_of(model, "-1"), "g");
  EXPECT_EQ(tap_of(model, "2"), "");
}

TEST(GenericNames, BlocksAreTheStepsThatEveryPathTakes) {
  const ModelData model = small_resnet();
  ASSERT_EQ(model.groups.size(), 1u);
  EXPECT_EQ(model.groups[0].name, "blocks");
  std::vector<std::string> names;
  for (const int tap : model.groups[0].taps) names.push_back(model.taps[tap].name);
  EXPECT_THAT(names, ElementsAre("stem.relu", "c", "g"));
}

// Behind a map of 3 channels: nodes, then what `penultimate` stands for.
std::string penultimate_of(std::vector<Node> nodes, std::vector<std::string> outputs) {
  const std::vector<Node> trunk = {
      node("Conv", {"x", "w"}, {"map"}), node("GlobalAveragePool", {"map"}, {"pool"}),
      node("Flatten", {"pool"}, {"flat"}), node("Gemm", {"flat", "fc"}, {"logits"})};
  nodes.insert(nodes.begin(), trunk.begin(), trunk.end());
  OnnxModel onnx = model_of(std::move(nodes), {{"w", counting({3, 3, 1, 1})},
                                               {"fc", counting({3, 5})},
                                               {"fc3", counting({3, 3})},
                                               {"seven", numbers({}, {7})},
                                               {"five", counting({5}, 0.1f)},
                                               {"from", int_tensor({0})},
                                               {"to", int_tensor({2})},
                                               {"one", int_tensor({1})}});
  onnx.outputs = std::move(outputs);
  ModelData model = import(std::move(onnx));
  add_generic_names(model);
  return tap_of(model, "penultimate");
}

TEST(GenericNames, WhatComesBehindTheClassifierMayBeAnything) {
  EXPECT_EQ(penultimate_of({node("Mul", {"logits", "seven"}, {"y"})}, {"y"}), "pool");
  EXPECT_EQ(penultimate_of({node("Mul", {"logits", "five"}, {"y"})}, {"y"}), "pool");
  EXPECT_EQ(penultimate_of({node("Slice", {"logits", "from", "to", "one"}, {"y"})}, {"y"}), "pool");
  EXPECT_EQ(
      penultimate_of({node("Concat", {"logits", "logits"}, {"y"}, {{"axis", an_int(1)}})}, {"y"}),
      "pool");
}

TEST(GenericNames, FurtherOutputsDoNotHideTheClassifier) {
  const Node gate = node("Sigmoid", {"map"}, {"y"});
  EXPECT_EQ(penultimate_of({gate}, {"logits", "y"}), "pool");
  EXPECT_EQ(penultimate_of({gate}, {"y", "logits"}), "pool");
  EXPECT_EQ(penultimate_of({gate}, {"y"}), "y");
}

TEST(GenericNames, OfSeveralClassifiersItIsTheEndOfWhatTheyShare) {
  const Node hidden = node("Gemm", {"flat", "fc3"}, {"hidden"}),
             relu = node("Relu", {"hidden"}, {"relu"}), mlp = node("Gemm", {"relu", "fc"}, {"y"});
  EXPECT_EQ(penultimate_of({hidden, relu, mlp}, {"y"}), "relu");
  EXPECT_EQ(penultimate_of({hidden, relu, mlp}, {"logits", "y"}), "pool");
  const Node late = node("Gemm", {"flat", "fc"}, {"late"});
  EXPECT_EQ(penultimate_of({hidden, relu, mlp, late}, {"y", "late"}), "pool");
  const Node top = node("GlobalMaxPool", {"map"}, {"top"}),
             flat = node("Flatten", {"top"}, {"top_flat"}),
             other = node("Gemm", {"top_flat", "fc"}, {"y"});
  EXPECT_EQ(penultimate_of({top, flat, other}, {"logits", "y"}), "map");
}

// An auxiliary classifier, whichever output comes first; a network on two pictures.
TEST(GenericNames, OfClassifiersWithConvolutionsOfTheirOwnTheLastCounts) {
  const std::vector<Node> deeper = {
      node("Conv", {"map", "w"}, {"deep"}), node("GlobalAveragePool", {"deep"}, {"end"}),
      node("Flatten", {"end"}, {"end_flat"}), node("Gemm", {"end_flat", "fc"}, {"y"})};
  EXPECT_EQ(penultimate_of(deeper, {"y", "logits"}), "end");
  EXPECT_EQ(penultimate_of(deeper, {"logits", "y"}), "end");
  std::vector<Node> twice = deeper;
  twice[0] = node("Conv", {"x", "w"}, {"deep"});
  twice.back().outputs[0] = "again";
  twice.push_back(node("Add", {"logits", "again"}, {"y"}));
  EXPECT_EQ(penultimate_of(twice, {"y"}), "end");
}

TEST(GenericNames, LayersThatWeighChannelsAreNoClassifiers) {
  ModelData model = import(model_of(
      {node("Conv", {"x", "w"}, {"map"}), node("GlobalAveragePool", {"map"}, {"pool"}),
       node("Flatten", {"pool"}, {"flat"}), node("Gemm", {"flat", "fc3"}, {"gate"}),
       node("Sigmoid", {"gate"}, {"scale"}), node("Reshape", {"scale", "dims"}, {"s"}),
       node("Mul", {"map", "s"}, {"weighed"}), node("GlobalAveragePool", {"weighed"}, {"y"})},
      {{"w", counting({3, 3, 1, 1})},
       {"fc3", counting({3, 3})},
       {"dims", int_tensor({1, 3, 1, 1})}}));
  add_generic_names(model);
  EXPECT_EQ(tap_of(model, "penultimate"), "y");
}

// Whichever classifier comes last: none of its layers is a step of the other's.
TEST(GenericNames, BlocksAreOfAllClassifiers) {
  for (const bool mlp_first : {true, false}) {
    std::vector<Node> nodes = {node("Relu", {"x"}, {"a"}),
                               node("GlobalAveragePool", {"a"}, {"pool"}),
                               node("Flatten", {"pool"}, {"flat"})};
    const Node fc = node("Gemm", {"flat", "fc"}, {"logits"});
    if (!mlp_first) nodes.push_back(fc);
    nodes.push_back(node("Gemm", {"flat", "fc3"}, {"hidden"}));
    nodes.push_back(node("Relu", {"hidden"}, {"relu"}));
    nodes.push_back(node("Gemm", {"relu", "fc"}, {"y"}));
    if (mlp_first) nodes.push_back(fc);
    OnnxModel onnx = model_of(nodes, {{"fc", counting({3, 5})}, {"fc3", counting({3, 3})}});
    onnx.outputs = {"logits", "y"};
    ModelData model = import(std::move(onnx));
    add_generic_names(model);
    ASSERT_EQ(model.groups.size(), 1u);
    ASSERT_EQ(model.groups[0].taps.size(), 1u);
    EXPECT_EQ(model.taps[static_cast<size_t>(model.groups[0].taps[0])].name, "a");
  }
}

TEST(GenericNames, WithoutAClassifierTheLastTapIsPenultimate) {
  ModelData model = import(model_of({node("Relu", {"x"}, {"a"}), node("Sigmoid", {"a"}, {"b"})}));
  add_generic_names(model);
  EXPECT_EQ(tap_of(model, "penultimate"), "b");
  ASSERT_EQ(model.groups.size(), 1u);
  EXPECT_THAT(model.groups[0].taps, ElementsAre(1));
}

}  // namespace
}  // namespace penult::converters::onnx
