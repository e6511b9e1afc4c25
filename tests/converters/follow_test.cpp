// Graphs get the names of the architecture that they are of: the graphs of all architectures
// themselves, nameless, and with batchnorm inside the convolutions as exporters leave it.

#include "converters/architectures/follow.h"

#include <gmock/gmock.h>

#include <map>

#include "engine/ops/op.h"
#include "tests/converters/family_facts.h"

namespace penult::converters {
namespace {

using ::testing::HasSubstr;

using Names = std::map<std::string, ValueId>;

// All names but those in `except`, and what they stand for.
Names names_of(const ModelData& model, const Names& except = {}) {
  Names names;
  for (const Tap& tap : model.taps) names[tap.name] = tap.value;
  for (const Alias& alias : model.aliases) {
    names[alias.name] = model.taps[static_cast<size_t>(alias.tap)].value;
  }
  for (const auto& [name, value] : except) names.erase(name);
  return names;
}

std::vector<ValueId> group_of(const ModelData& model, const std::string& name) {
  std::vector<ValueId> values;
  for (const TapGroup& group : model.groups) {
    if (group.name != name) continue;
    for (const int tap : group.taps) values.push_back(model.taps[static_cast<size_t>(tap)].value);
  }
  return values;
}

Result<ModelData> inferred(const std::string& net) {
  auto model = penult::testing::build_model(tensors_of(net));
  if (!model.ok()) return model;
  if (Status valid = validate(model->graph); !valid.ok()) return valid;
  const ModelInfo& info = model->info;
  const Status shapes = infer_shapes(model->graph, 3, info.input_h, info.input_w);
  if (!shapes.ok()) return shapes;
  return model;
}

// A graph as a file may hold it: its places are called n1, n2, ...
SourceGraph nameless(const Graph& graph) {
  SourceGraph source;
  source.model.graph = graph;
  for (Node& node : source.model.graph.nodes) {
    node.name = "n" + std::to_string(node.output);
    source.model.taps.push_back({node.name, node.output});
  }
  return source;
}

// The model with each batchnorm inside the convolution before it, whose place is lost. Adds its
// names to `lost`.
ModelData folded(ModelData model, Names& lost) {
  Graph& graph = model.graph;
  std::map<ValueId, size_t> convs;   // by output
  std::map<ValueId, ValueId> moved;  // from the convolution's output to the batchnorm's
  std::vector<Node> kept;
  for (Node node : graph.nodes) {
    const auto conv = convs.find(node.inputs[0]);
    if (node.op == &kBatchnorm && conv != convs.end()) {
      moved[node.inputs[0]] = node.output;
      kept[conv->second].output = node.output;
      kept[conv->second].weights[1] = node.weights[1];
      continue;
    }
    if (node.op == &kConv2d) convs[node.output] = kept.size();
    kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
  for (const auto& [name, value] : names_of(model)) {
    if (moved.contains(value)) lost[name] = value;
  }
  return model;
}

const Architecture& called(const std::string& name) {
  const auto all = all_architectures();
  return *std::find_if(all.begin(), all.end(),
                       [&](const Architecture& one) { return name == one.name; });
}

// Whether `source` gets the names that `model` has, apart from `lost`.
void expect_follows(const ModelData& model, SourceGraph source, const Names& lost) {
  const Status status = follow_architecture(called(model.info.architecture), source);
  ASSERT_TRUE(status.ok()) << status.message();
  Names names_of_file;
  for (const Node& node : source.model.graph.nodes) {
    names_of_file["n" + std::to_string(node.output)] = node.output;
  }
  EXPECT_EQ(names_of(source.model, names_of_file), names_of(model, lost));
  EXPECT_EQ(group_of(source.model, "blocks"), group_of(model, "blocks"));
  EXPECT_EQ(source.model.info.architecture, model.info.architecture);
  EXPECT_EQ(source.model.taps.size(), source.model.graph.nodes.size());
  for (const auto& [name, value] : names_of_file) {
    EXPECT_EQ(names_of(source.model)[name], value);
  }
}

class EachGraph : public ::testing::TestWithParam<std::string> {};

TEST_P(EachGraph, GetsTheNamesOfItsArchitecture) {
  auto model = inferred(GetParam());
  ASSERT_TRUE(model.ok()) << model.status().message();
  expect_follows(*model, nameless(model->graph), {});
}

TEST_P(EachGraph, GetsThemWithBatchnormInsideTheConvolutions) {
  auto model = inferred(GetParam());
  ASSERT_TRUE(model.ok()) << model.status().message();
  Names lost;
  const ModelData without = folded(*model, lost);
  expect_follows(*model, nameless(without.graph), lost);
}

std::vector<std::string> published() {
  std::vector<std::string> names;
  for (const penult::testing::NetFacts& net : all_nets()) {
    if (!net.is_variant()) names.push_back(net.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Torch, EachGraph, ::testing::ValuesIn(published()),
                         [](const auto& test) { return test.param; });

// Its layers are recognised as those of `expected`, where `hint` is the file's name.
void expect_recognised(const std::string& net, const std::string& hint,
                       const std::string& expected) {
  auto model = inferred(net);
  ASSERT_TRUE(model.ok()) << model.status().message();
  SourceGraph source = nameless(model->graph);
  recognise_graph(hint, source);
  EXPECT_EQ(source.model.info.architecture, expected);
  EXPECT_THAT(source.notes, ::testing::ElementsAre(HasSubstr("those of " + expected)));
}

TEST(Recognition, PaddingTellsTwinsApart) {
  expect_recognised("efficientnet_lite0", "x.onnx", "efficientnet_lite0");
  expect_recognised("tf_efficientnet_lite0", "x.onnx", "tf_efficientnet_lite0");
  expect_recognised("efficientnet_lite1", "x.onnx", "efficientnet_lite1");
  expect_recognised("tf_efficientnet_lite1", "efficientnet_lite1.onnx", "tf_efficientnet_lite1");
  expect_recognised("tf_mobilenetv3_small_075", "x.onnx", "tf_mobilenetv3_small_075");
  expect_recognised("tf_mobilenetv3_small_100", "x.onnx", "tf_mobilenetv3_small_100");
}

TEST(Recognition, ANameTellsTheSameLayersApart) {
  expect_recognised("mobilenetv2_100", "x.onnx", "mobilenet_v2");
  expect_recognised("mobilenetv2_100", "my_mobilenetv2_100.onnx", "mobilenetv2_100");
  expect_recognised("mobilenetv2_100", "MobileNetV2-100/model.onnx", "mobilenetv2_100");
}

TEST(Recognition, NamesOfPlacesInTheFileTellTheSameLayersApart) {
  auto model = inferred("mobilenetv2_100");
  ASSERT_TRUE(model.ok()) << model.status().message();
  SourceGraph source;
  source.model = *model;
  source.model.info.architecture = "custom";
  recognise_graph("x.onnx", source);
  EXPECT_EQ(source.model.info.architecture, "mobilenetv2_100");
  EXPECT_THAT(source.notes, ::testing::ElementsAre(HasSubstr("those of mobilenet_v2 as well")));
}

TEST(Recognition, LeavesAGraphOfOtherLayersAsItIs) {
  auto model = inferred("resnet18");
  ASSERT_TRUE(model.ok()) << model.status().message();
  SourceGraph source = nameless(model->graph);
  const auto relu = std::find_if(source.model.graph.nodes.begin(), source.model.graph.nodes.end(),
                                 [](const Node& node) { return node.op == &kRelu; });
  relu->op = &kSigmoid;
  const Names before = names_of(source.model);
  recognise_graph("resnet18.onnx", source);
  EXPECT_EQ(names_of(source.model), before);
  EXPECT_THAT(source.notes, ::testing::ElementsAre(HasSubstr("no known architecture")));
  const Status status = follow_architecture(called("resnet18"), source);
  EXPECT_THAT(status.message(), HasSubstr("no relu is there where \"relu\" should be"));
}

TEST(Recognition, ALayerTooManyIsAnotherNetwork) {
  auto model = inferred("resnet18");
  ASSERT_TRUE(model.ok()) << model.status().message();
  SourceGraph source = nameless(model->graph);
  Graph& graph = source.model.graph;
  const ValueId end = graph.nodes.back().output;
  const ValueId extra = graph.add_node(kSigmoid, "extra", {end});
  graph.values[static_cast<size_t>(extra)].shape = graph.values[static_cast<size_t>(end)].shape;
  const Status status = follow_architecture(called("resnet18"), source);
  EXPECT_THAT(status.message(), HasSubstr("resnet18 has no layer such as \"extra\""));
}

TEST(Recognition, ASoftmaxAtTheEndKeepsItsName) {
  auto model = inferred("resnet18");
  ASSERT_TRUE(model.ok()) << model.status().message();
  SourceGraph source = nameless(model->graph);
  Graph& graph = source.model.graph;
  const ValueId end = graph.nodes.back().output;
  const ValueId extra = graph.add_node(kSoftmax, "fc", {end});
  graph.values[static_cast<size_t>(extra)].shape = graph.values[static_cast<size_t>(end)].shape;
  source.model.taps.push_back({"fc", extra});
  ASSERT_TRUE(follow_architecture(called("resnet18"), source).ok());
  EXPECT_EQ(names_of(source.model)["fc"], end);
  EXPECT_EQ(source.model.taps.back().name, "file.fc");
}

// Exporters write a concat of concats as one.
TEST(Recognition, MapsMayBeJoinedAtOnce) {
  auto model = inferred("inception_v3");
  ASSERT_TRUE(model.ok()) << model.status().message();
  SourceGraph source = nameless(model->graph);
  std::vector<Node>& nodes = source.model.graph.nodes;
  Node& outer = *std::find_if(nodes.rbegin(), nodes.rend(),
                              [](const Node& node) { return node.op == &kConcat; });
  std::vector<ValueId> parts, inner;
  for (const ValueId input : outer.inputs) {
    const auto maker = std::find_if(nodes.begin(), nodes.end(),
                                    [&](const Node& node) { return node.output == input; });
    if (maker->op != &kConcat) {
      parts.push_back(input);
      continue;
    }
    parts.insert(parts.end(), maker->inputs.begin(), maker->inputs.end());
    inner.push_back(input);
  }
  outer.inputs = parts;
  ASSERT_EQ(inner.size(), 2u);
  std::erase_if(nodes, [&](const Node& node) {
    return std::find(inner.begin(), inner.end(), node.output) != inner.end();
  });
  const Status status = follow_architecture(called("inception_v3"), source);
  ASSERT_TRUE(status.ok()) << status.message();
  const Names names = names_of(source.model), all = names_of(*model);
  EXPECT_FALSE(names.contains("Mixed_7c.cat"));
  EXPECT_EQ(names.at("Mixed_7c.cat_2"), all.at("Mixed_7c.cat_2"));
  EXPECT_EQ(names.at("penultimate"), all.at("penultimate"));
}

TEST(Recognition, NoNameOfTheFileHidesAPlaceThatTheGraphHasLost) {
  auto model = inferred("resnet18");
  ASSERT_TRUE(model.ok()) << model.status().message();
  Names lost;
  SourceGraph source = nameless(folded(*model, lost).graph);
  source.model.taps[0].name = "conv1";  // as exporters call what batchnorm went into
  ASSERT_TRUE(follow_architecture(called("resnet18"), source).ok());
  const Names names = names_of(source.model);
  EXPECT_FALSE(names.contains("conv1"));
  EXPECT_EQ(names.at("bn1"), source.model.taps[0].value);
}

}  // namespace
}  // namespace penult::converters
