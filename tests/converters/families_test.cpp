// The architectures against what PyTorch says of its networks: the tensors of their state dicts,
// and the nodes of their FX graphs (tests/golden/architectures.npz). Matrices have no numbers here.

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/converters/family_facts.h"

namespace penult::converters {
namespace {

using penult::testing::NetFacts;
using ::testing::HasSubstr;

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
      {"efficientnet_b0", "features.2.0.block.2.fc1.weight", {4, 97, 1, 1}, "expected (*,96,1,1)"},
      {"tf_efficientnet_b0", "blocks.1.0.bn2.running_var", {95}, "expected (96)"},
      {"regnet_y_400mf",
       "trunk_output.block2.block2-1.f.b.0.weight",
       {104, 16, 3, 3},
       "expected (104,17,3,3)"},
      {"densenet121", "features.denseblock2.denselayer3.norm1.weight", {128}, "expected (192)"},
      {"inception_v3", "Mixed_6b.branch7x7_2.conv.weight", {128, 128, 7, 1}, "(*,128,1,7)"},
      {"resnet50d", "layer2.0.downsample.1.weight", {256, 256, 1, 1}, "expected (512,256,1,1)"},
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

const Places kPlaces[] = {
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
    {"efficientnet_b0",
     "avgpool",
     {"features.1.0.block.2", "features.2.1.add", "features.3.1.add", "features.5.2.add",
      "features.7.0.block.3"},
     18},
    {"efficientnet_b0_timm",
     "avgpool",
     {"features.1.0.block.2", "features.2.1.add", "features.3.1.add", "features.5.2.add",
      "features.7.0.block.3"},
     18},
    {"tf_efficientnet_lite4",
     "global_pool.pool",
     {"blocks.0.0.bn2", "blocks.1.3.add", "blocks.2.3.add", "blocks.4.5.add", "blocks.6.0.bn3"},
     30},
    {"tf_mobilenetv3_small_100",
     "act2",
     {"bn1", "blocks.0.0.bn2", "blocks.1.1.add", "blocks.3.1.add", "blocks.5.0.bn1"},
     12},
    {"mnasnet0_5",
     "mean",
     {"layers.7", "layers.8.2.add", "layers.9.2.add", "layers.11.1.add", "layers.13.0.layers.7"},
     19},
    {"resnet50d",
     "global_pool.pool",
     {"act1", "layer1.2.act3", "layer2.3.act3", "layer3.5.act3", "layer4.2.act3"},
     16},
    {"regnet_x_400mf",
     "avgpool",
     {"stem", "trunk_output.block1.block1-0.activation", "trunk_output.block2.block2-1.activation",
      "trunk_output.block3.block3-6.activation", "trunk_output.block4.block4-11.activation"},
     22},
    {"regnety_008",
     "head.global_pool.pool",
     {"stem.bn", "s1.b1.act3", "s2.b3.act3", "s3.b8.act3", "s4.b2.act3"},
     14},
    {"densenet161",
     "adaptive_avg_pool2d",
     {"features.relu0", "features.denseblock1.cat", "features.denseblock2.cat",
      "features.denseblock3.cat", "relu"},
     7},
    {"squeezenet1_0",
     "features.12.cat",
     {"features.1", "features.5.cat", "features.10.cat", "features.12.cat"},
     8},
    {"vgg16_bn",
     "classifier.4",
     {"features.5", "features.12", "features.22", "features.32", "features.42", "features.43"},
     5},
    {"inception_v3",
     "avgpool",
     {"Conv2d_2b_3x3.relu", "Conv2d_4a_3x3.relu", "Mixed_5d.cat", "Mixed_6e.cat", "Mixed_7c.cat_2"},
     11},
    {"bagnet33",
     "avgpool",
     {"relu", "layer1.2.relu_2", "layer2.3.relu_2", "layer3.5.relu_2", "layer4.2.relu_2"},
     16},
};

TEST(Architectures, NamePlacesAsTimmNumbersThem) {
  for (const Places& net : kPlaces) {
    auto model = build_as(facts_of(net.net).architecture(), tensors_of(net.net));
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

TEST(Architectures, HaveTheInputSizeOfTheirPreprocessing) {
  auto model = build_as("tf_efficientnet_b3", tensors_of("tf_efficientnet_b3"));
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_EQ(model->info.input_h, 300);
  EXPECT_EQ(model->info.input_w, 300);
}

TEST(Architectures, DoWithoutTheirClassifier) {
  EXPECT_EQ(penultimate_without("resnet34", "fc."), "avgpool");
  EXPECT_EQ(penultimate_without("bagnet9", "fc."), "avgpool");
  EXPECT_EQ(penultimate_without("mobilenetv1_100", "classifier."), "global_pool.pool");
  EXPECT_EQ(penultimate_without("tf_efficientnet_lite1", "classifier."), "global_pool.pool");
  EXPECT_EQ(penultimate_without("densenet121", "classifier."), "adaptive_avg_pool2d");
  EXPECT_EQ(penultimate_without("squeezenet1_1", "classifier."), "features.12.cat");
  EXPECT_EQ(penultimate_without("regnety_002", "head."), "head.global_pool.pool");
  EXPECT_EQ(penultimate_without("inception_v3", "fc."), "avgpool");
  EXPECT_EQ(penultimate_without("vgg11", "classifier.6."), "classifier.4");
  EXPECT_EQ(penultimate_without("vgg11", "classifier."), "flatten");
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
  const Preprocess lite = preprocess("tf_efficientnet_lite2");
  EXPECT_EQ(lite.resize, 292);
  EXPECT_EQ(lite.crop_h, 260);
  EXPECT_EQ(lite.mean[0], 127.0f / 255.0f);
  EXPECT_EQ(preprocess("inception_v3").crop_w, 299);
  EXPECT_EQ(preprocess("inception_v3").mean, Preprocess{}.mean);
  EXPECT_EQ(preprocess("tf_inception_v3").mean[0], 0.5f);
  EXPECT_EQ(preprocess("resnet101d").crop_h, 256);
  const Preprocess timm = preprocess("mobilenetv1_100");
  EXPECT_EQ(timm.filter, Preprocess::Filter::kBicubic);
  EXPECT_EQ(timm.resize, 256);
  EXPECT_EQ(timm.mean[1], 0.5f);
  EXPECT_EQ(timm.std[2], 0.5f);
}

}  // namespace
}  // namespace penult::converters
