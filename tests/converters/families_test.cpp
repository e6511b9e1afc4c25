// The architectures against what PyTorch says of its networks: the tensors of their state dicts,
// and the nodes of their FX graphs (tests/golden/architectures.npz). Matrices have no numbers here.

#include <gmock/gmock.h>

#include <algorithm>
#include <ostream>
#include <utility>

#include "engine/model/model_data.h"
#include "engine/ops/op.h"
#include "tests/support/seeded_weights.h"

namespace penult::converters {
namespace {

using penult::testing::NetFacts;
using ::testing::HasSubstr;

const std::vector<NetFacts>& all_nets() {
  static const std::vector<NetFacts> nets = [] {
    auto facts = penult::testing::load_net_facts();
    EXPECT_TRUE(facts.ok()) << facts.status().message();
    return facts.ok() ? std::move(facts).value() : std::vector<NetFacts>();
  }();
  return nets;
}

std::vector<std::string> names_of_nets() {
  std::vector<std::string> names;
  for (const NetFacts& net : all_nets()) names.push_back(net.name);
  return names;
}

const NetFacts& facts_of(const std::string& name) {
  return *std::find_if(all_nets().begin(), all_nets().end(),
                       [&](const NetFacts& net) { return net.name == name; });
}

StateDict tensors_of(const std::string& net) {
  StateDict dict;
  dict.hint = facts_of(net).architecture();
  for (const NetFacts::Tensor& tensor : facts_of(net).tensors) {
    dict.tensors.push_back({tensor.name, tensor.dims, {}, tensor.is_counter});
    if (tensor.dims.size() == 1) dict.tensors.back().data.assign(tensor.dims[0], 0.5f);
  }
  return dict;
}

NamedTensor& tensor_of(StateDict& dict, const std::string& name) {
  return *std::find_if(dict.tensors.begin(), dict.tensors.end(),
                       [&](const NamedTensor& t) { return t.name == name; });
}

Result<ModelData> build_as(const std::string& architecture, StateDict&& dict) {
  for (const Architecture& candidate : all_architectures()) {
    if (candidate.name == architecture) return candidate.build(std::move(dict));
  }
  return Status(StatusCode::kNotFound, architecture);
}

std::vector<std::string> recognised(const StateDict& dict) {
  std::vector<std::string> names;
  for (const Architecture& architecture : all_architectures()) {
    if (architecture.recognises(dict)) names.push_back(architecture.name);
  }
  return names;
}

std::string refusal(const std::string& architecture, StateDict&& dict) {
  const auto model = build_as(architecture, std::move(dict));
  EXPECT_EQ(model.status().code(), StatusCode::kModelInvalid);
  return model.status().message();
}

// The main name of what `name` stands for.
std::string place(const ModelData& model, const std::string& name) {
  const auto taps = resolve_tap(model, name);
  return taps.ok() ? model.taps[static_cast<size_t>(taps->back())].name : taps.status().message();
}

class EachNet : public ::testing::TestWithParam<std::string> {};

TEST_P(EachNet, IsRecognisedByItsTensorsAndByOneArchitecture) {
  StateDict dict = tensors_of(GetParam());
  EXPECT_THAT(recognised(dict), ::testing::ElementsAre(facts_of(GetParam()).architecture()));
  dict.hint = "weights.pth";  // of twins the default then
  EXPECT_EQ(recognised(dict).size(), 1u);
}

TEST_P(EachNet, HasTheNodesOfTorchsGraphAsPlacesInOrder) {
  auto model = penult::testing::build_model(tensors_of(GetParam()));
  ASSERT_TRUE(model.ok()) << model.status().message();
  const std::vector<std::string>& nodes = facts_of(GetParam()).nodes;
  int last = 0;
  for (const std::string& node : nodes) {
    const auto taps = resolve_tap(*model, node);
    ASSERT_TRUE(taps.ok()) << taps.status().message();
    EXPECT_GE(taps->front(), last) << node;
    last = taps->front();
  }
  EXPECT_EQ(last, static_cast<int>(model->taps.size()) - 1);
}

TEST_P(EachNet, HasNoOtherPlacesThanInsideTheLeavesOfTorchsGraph) {
  if (facts_of(GetParam()).is_variant()) return;  // the places are called as in torchvision
  auto model = build_as(facts_of(GetParam()).architecture(), tensors_of(GetParam()));
  ASSERT_TRUE(model.ok()) << model.status().message();
  for (const Tap& tap : model->taps) {
    const auto holds = [&](const std::string& node) {
      return tap.name == node || tap.name.starts_with(node + ".");
    };
    const std::vector<std::string>& nodes = facts_of(GetParam()).nodes;
    EXPECT_TRUE(std::any_of(nodes.begin(), nodes.end(), holds)) << tap.name;
  }
}

TEST_P(EachNet, RefusesATensorThatNoLayerUses) {
  StateDict dict = tensors_of(GetParam());
  dict.tensors.push_back({"one.too.many", {1}, {0.5f}, false});
  const std::string architecture = facts_of(GetParam()).architecture();
  EXPECT_THAT(
      refusal(architecture, std::move(dict)),
      HasSubstr("tensor \"one.too.many\" of shape (1) is used by no layer of " + architecture));
}

INSTANTIATE_TEST_SUITE_P(Torch, EachNet, ::testing::ValuesIn(names_of_nets()),
                         [](const auto& test) { return test.param; });

TEST(Architectures, AreAllKnownToTorch) {
  std::vector<std::string> facts, names;
  for (const NetFacts& net : all_nets()) {
    if (!net.is_variant()) facts.push_back(net.name);
  }
  for (const Architecture& architecture : all_architectures()) names.push_back(architecture.name);
  EXPECT_THAT(names, ::testing::UnorderedElementsAreArray(facts));
}

// One network, as torchvision calls its layers and as timm does.
struct Libraries {
  const char* torchvision;
  const char* timm;
};
constexpr Libraries kBothHave[] = {
    {"mobilenet_v2", "mobilenetv2_100"},
    {"mobilenet_v3_large", "mobilenetv3_large_100"},
    {"mobilenet_v3_small", "tf_mobilenetv3_small_100"},
    {"efficientnet_b0", "efficientnet_b0_timm"},
    {"efficientnet_b0", "tf_efficientnet_b0"},
    {"efficientnet_b4", "efficientnet_b4_timm"},
    {"mnasnet1_0", "mnasnet_100"},
    {"resnet18", "resnet18_timm"},
    {"resnet50", "resnet50_timm"},
};

// Where in its file each weight of the graph comes from.
std::vector<size_t> places_in_file(const ModelData& model, const std::string& net) {
  const auto& tensors = facts_of(net).tensors;
  std::vector<size_t> places;
  for (const WeightInfo& weight : model.graph.weights) {
    const auto named = [&](const NetFacts::Tensor& tensor) { return tensor.name == weight.name; };
    places.push_back(
        static_cast<size_t>(std::find_if(tensors.begin(), tensors.end(), named) - tensors.begin()));
  }
  return places;
}

// The libraries' state dicts have the same order, so the layers must take the same tensors.
TEST(Architectures, TakeTheSameTensorsUnderBothLibrariesNames) {
  for (const auto& [torchvision, timm] : kBothHave) {
    auto a = penult::testing::build_model(tensors_of(torchvision));
    auto b = penult::testing::build_model(tensors_of(timm));
    ASSERT_TRUE(a.ok() && b.ok()) << timm << a.status().message() << b.status().message();
    EXPECT_EQ(places_in_file(*a, torchvision), places_in_file(*b, timm)) << timm;
  }
}

TEST(Architectures, GiveThePlacesTheOtherLibrarysNamesToo) {
  for (const auto& [torchvision, timm] : kBothHave) {
    for (const auto& [net, other] : {std::pair(torchvision, timm), std::pair(timm, torchvision)}) {
      auto model = penult::testing::build_model(tensors_of(net));
      ASSERT_TRUE(model.ok()) << net << model.status().message();
      int last = 0;
      for (const std::string& node : facts_of(other).nodes) {
        if (node == "flatten") continue;  // elsewhere in timm's MobileNetV3
        const auto taps = resolve_tap(*model, node);
        ASSERT_TRUE(taps.ok()) << net << ": " << taps.status().message();
        EXPECT_GE(taps->front(), last) << net << " " << node;
        last = taps->front();
      }
    }
  }
}

// What a name says of twins, whose tensors do not differ.
struct NamedTwins {
  const char* net;  // its tensors
  const char* hint;
  const char* expected;
  bool noted;
};

TEST(Architectures, TellTwinsApartByAName) {
  const NamedTwins cases[] = {
      {"tf_efficientnet_lite0", "weights.pth", "tf_efficientnet_lite0", true},
      {"tf_efficientnet_lite0", "tf_efficientnet_lite0-0aa007d2.pth", "tf_efficientnet_lite0",
       true},
      {"tf_efficientnet_lite0", "EfficientNet-Lite0_ra.pth", "efficientnet_lite0", true},
      {"efficientnet_lite0", "efficientnet_lite0", "efficientnet_lite0", false},
      {"tf_efficientnet_b0", "model.safetensors", "efficientnet_b0", true},
      {"efficientnet_b0_timm", "tf_efficientnet_b0.bin", "tf_efficientnet_b0", true},
      // In torchvision's names there is only one.
      {"efficientnet_b0", "tf_efficientnet_b0.pth", "efficientnet_b0", false},
      {"mobilenet_v3_large", "tf_mobilenetv3_large_100.pth", "mobilenet_v3_large", false},
      {"mobilenetv3_large_100", "tf_mobilenetv3_large_100.pth", "tf_mobilenetv3_large_100", true},
  };
  for (const NamedTwins& test : cases) {
    StateDict dict = tensors_of(test.net);
    dict.hint = test.hint;
    EXPECT_THAT(recognised(dict), ::testing::ElementsAre(test.expected)) << test.hint;
    auto model = build_as(test.expected, std::move(dict));
    ASSERT_TRUE(model.ok()) << model.status().message();
    EXPECT_EQ(!model->info.note.empty(), test.noted) << model->info.note;
  }
}

float eps_of_first_batchnorm(const ModelData& model) {
  for (const Node& node : model.graph.nodes) {
    if (node.op == &kBatchnorm) return node.attrs.get_float("eps");
  }
  return 0;
}

TEST(Architectures, GiveTwinsTheirOwnPaddingAndEps) {
  for (const auto& [net, twin] : {std::pair("efficientnet_b1", "tf_efficientnet_b1"),
                                  std::pair("efficientnet_lite0", "tf_efficientnet_lite0"),
                                  std::pair("mobilenetv3_large_100", "tf_mobilenetv3_large_100")}) {
    auto a = build_as(net, tensors_of(twin));
    auto b = build_as(twin, tensors_of(twin));
    ASSERT_TRUE(a.ok() && b.ok()) << a.status().message() << b.status().message();
    EXPECT_EQ(a->graph.nodes[0].attrs.get_int("pad_mode"), 0) << net;
    EXPECT_EQ(b->graph.nodes[0].attrs.get_int("pad_mode"), 1) << net;
    EXPECT_EQ(eps_of_first_batchnorm(*a), 1e-5f) << net;
    EXPECT_EQ(eps_of_first_batchnorm(*b), 1e-3f) << net;
  }
}

struct Misfit {
  const char* architecture;
  const char* tensor;
  std::vector<int64_t> dims;
  const char* words;
};

TEST(Architectures, NameTheTensorOfAWrongShape) {
  const Misfit misfits[] = {
      {"resnet18", "layer2.0.conv2.weight", {128, 64, 3, 3}, "expected (128,128,3,3)"},
      {"resnet50", "layer1.1.conv1.weight", {32, 256, 1, 1}, "expected (64,256,1,1)"},
      {"resnet50", "layer3.0.downsample.0.weight", {512, 512, 1, 1}, "expected (1024,512,1,1)"},
      {"resnext50_32x4d", "layer4.2.conv2.weight", {1024, 64, 3, 3}, "expected (1024,32,3,3)"},
      {"wide_resnet50_2", "bn1.running_var", {63}, "expected (64)"},
      {"mobilenetv1_100", "blocks.1.0.conv_dw.weight", {64, 64, 3, 3}, "expected (64,1,3,3)"},
      {"mobilenet_v3_large",
       "features.4.block.2.fc1.weight",
       {24, 72, 3, 3},
       "expected (*,72,1,1)"},
      {"mobilenet_v3_small", "classifier.3.weight", {1000, 576}, "expected (*,1024)"},
      {"bagnet17", "layer1.1.conv2.weight", {64, 64, 3, 3}, "expected (64,64,1,1)"},
  };
  for (const Misfit& misfit : misfits) {
    StateDict dict = tensors_of(misfit.architecture);
    tensor_of(dict, misfit.tensor).dims = misfit.dims;
    const std::string message = refusal(misfit.architecture, std::move(dict));
    EXPECT_THAT(message, HasSubstr(std::string("tensor \"") + misfit.tensor + "\" has shape"));
    EXPECT_THAT(message, HasSubstr(misfit.words));
  }
}

TEST(Architectures, NameTheFirstTensorThatDoesNotFitWhenTold) {
  EXPECT_THAT(refusal("resnet50", tensors_of("resnext50_32x4d")),
              HasSubstr("\"layer1.0.conv2.weight\" has shape (128,4,3,3), expected (128,128,3,3)"));
  EXPECT_THAT(refusal("resnet50", tensors_of("wide_resnet50_2")),
              HasSubstr("\"layer1.0.conv3.weight\" has shape (256,128,1,1), expected (512,"));
  EXPECT_THAT(refusal("resnet50", tensors_of("resnet101")),
              HasSubstr("\"layer3.6.conv1.weight\" of shape (256,1024,1,1) is used by no layer"));
  EXPECT_THAT(refusal("resnet101", tensors_of("resnet50")),
              HasSubstr("\"layer3.6.conv1.weight\" is missing"));
  EXPECT_THAT(refusal("bagnet17", tensors_of("bagnet33")),
              HasSubstr("\"layer4.0.conv2.weight\" has shape (512,512,3,3), expected (512,512,1"));
  EXPECT_THAT(refusal("mobilenet_v3_small", tensors_of("mobilenet_v3_large")),
              HasSubstr("\"features.1.block.1.fc1.weight\" is missing"));
}

struct Places {
  const char* net;
  const char* penultimate;
  std::vector<std::string> stages;  // what 0 to 4 stand for
  size_t blocks;
};

TEST(Architectures, NamePlacesAsTimmNumbersThem) {
  const Places nets[] = {
      {"resnet18",
       "avgpool",
       {"relu", "layer1.1.relu_1", "layer2.1.relu_1", "layer3.1.relu_1", "layer4.1.relu_1"},
       8},
      {"resnext101_32x8d",
       "avgpool",
       {"relu", "layer1.2.relu_2", "layer2.3.relu_2", "layer3.22.relu_2", "layer4.2.relu_2"},
       33},
      {"mobilenetv1_100",
       "global_pool.pool",
       {"blocks.0.0.bn2", "blocks.1.1.bn2", "blocks.2.1.bn2", "blocks.3.5.bn2", "blocks.4.1.bn2"},
       13},
      {"mobilenet_v3_large",
       "classifier.1",
       {"features.1.add", "features.3.add", "features.6.add", "features.12.add", "features.16"},
       17},
      {"mobilenet_v3_small",
       "classifier.1",
       {"features.0", "features.1.block.2", "features.3.add", "features.8.add", "features.12"},
       13},
      {"bagnet33",
       "avgpool",
       {"relu", "layer1.2.relu_2", "layer2.3.relu_2", "layer3.5.relu_2", "layer4.2.relu_2"},
       16},
  };
  for (const Places& net : nets) {
    auto model = build_as(net.net, tensors_of(net.net));
    ASSERT_TRUE(model.ok()) << model.status().message();
    EXPECT_EQ(place(*model, "penultimate"), net.penultimate) << net.net;
    for (size_t i = 0; i < net.stages.size(); ++i) {
      EXPECT_EQ(place(*model, std::to_string(i)), net.stages[i]) << net.net;
      EXPECT_EQ(place(*model, "-" + std::to_string(net.stages.size() - i)), net.stages[i])
          << net.net;
    }
    EXPECT_EQ(resolve_tap(*model, "blocks")->size(), net.blocks) << net.net;
  }
}

std::string penultimate_without(const std::string& net, const std::string& prefix) {
  StateDict dict = tensors_of(net);
  std::erase_if(dict.tensors, [&](const NamedTensor& t) { return t.name.starts_with(prefix); });
  auto model = penult::testing::build_model(std::move(dict));
  return model.ok() ? place(*model, "penultimate") : model.status().message();
}

TEST(Architectures, DoWithoutTheirClassifier) {
  EXPECT_EQ(penultimate_without("resnet34", "fc."), "avgpool");
  EXPECT_EQ(penultimate_without("bagnet9", "fc."), "avgpool");
  EXPECT_EQ(penultimate_without("mobilenetv1_100", "classifier."), "global_pool.pool");
  EXPECT_EQ(penultimate_without("mobilenet_v3_large", "classifier.3."), "classifier.1");
  EXPECT_EQ(penultimate_without("mobilenet_v3_large", "classifier."), "avgpool");
}

TEST(Architectures, PreprocessAsTheirWeightsWereEvaluated) {
  const auto preprocess = [](const std::string& net) {
    auto model = build_as(net, tensors_of(net));
    return model.ok() ? model->info.preprocess : Preprocess{.resize = 0};
  };
  EXPECT_EQ(preprocess("resnet152"), Preprocess{});
  EXPECT_EQ(preprocess("mobilenet_v3_small"), Preprocess{});
  EXPECT_EQ(preprocess("bagnet33"), Preprocess{});
  EXPECT_EQ(preprocess("resnext101_64x4d"), Preprocess{.resize = 232});
  const Preprocess timm = preprocess("mobilenetv1_100");
  EXPECT_EQ(timm.filter, Preprocess::Filter::kBicubic);
  EXPECT_EQ(timm.resize, 256);
  EXPECT_EQ(timm.mean[1], 0.5f);
  EXPECT_EQ(timm.std[2], 0.5f);
}

}  // namespace
}  // namespace penult::converters
