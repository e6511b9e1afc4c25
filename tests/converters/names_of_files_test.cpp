// What files call the tensors, and what the architectures make of it: the names of two libraries,
// names that say which of two networks is meant, names of old files, tensors that are left out.

#include <gmock/gmock.h>

#include <utility>

#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"
#include "tests/converters/family_facts.h"

namespace penult::converters {
namespace {

using penult::testing::NetFacts;
using ::testing::HasSubstr;

// One network, as torchvision calls its layers and as timm does.
struct Libraries {
  const char* torchvision;
  const char* timm;
  bool same_order = true;  // of tensors and layers
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
    {"vgg11", "vgg11_timm"},
    {"regnet_y_400mf", "regnety_004", false},
    {"regnet_x_800mf", "regnetx_008", false},
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
  for (const auto& [torchvision, timm, same_order] : kBothHave) {
    if (!same_order) continue;
    auto a = penult::testing::build_model(tensors_of(torchvision));
    auto b = penult::testing::build_model(tensors_of(timm));
    ASSERT_TRUE(a.ok() && b.ok()) << timm << a.status().message() << b.status().message();
    EXPECT_EQ(places_in_file(*a, torchvision), places_in_file(*b, timm)) << timm;
  }
}

TEST(Architectures, GiveThePlacesTheOtherLibrarysNamesToo) {
  for (const auto& [torchvision, timm, same_order] : kBothHave) {
    for (const auto& [net, other] : {std::pair(torchvision, timm), std::pair(timm, torchvision)}) {
      auto model = penult::testing::build_model(tensors_of(net));
      ASSERT_TRUE(model.ok()) << net << model.status().message();
      int last = 0;
      for (const std::string& node : facts_of(other).nodes) {
        if (node == "flatten") continue;  // elsewhere in timm's MobileNetV3
        const auto taps = resolve_tap(*model, node);
        ASSERT_TRUE(taps.ok()) << net << ": " << taps.status().message();
        EXPECT_TRUE(!same_order || taps->front() >= last) << net << " " << node;
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
      {"mobilenetv3_small_075", "tf_mobilenetv3_small_075-da427f52.pth", "tf_mobilenetv3_small_075",
       true},
      {"tf_mobilenetv3_small_075", "mobilenetv3_small_075_lambc-384766db.pth",
       "mobilenetv3_small_075", true},
      {"tf_efficientnet_lite1", "efficientnet_lite1.pth", "efficientnet_lite1", true},
      {"tf_efficientnet_lite2", "efficientnet_lite2.pth", "efficientnet_lite2", true},
      {"tf_efficientnet_lite3", "efficientnet_lite3.pth", "efficientnet_lite3", true},
      {"tf_efficientnet_lite4", "efficientnet_lite4.pth", "efficientnet_lite4", true},
      {"efficientnet_lite3", "weights.pth", "tf_efficientnet_lite3", true},
      // No row is called so: the words that agree decide.
      {"mobilenetv3_large_100", "tf_mobilenetv3_large_075-150ee8b0.pth", "tf_mobilenetv3_large_100",
       true},
      {"tf_efficientnet_b3", "efficientnet_b3_pruned.in1k.safetensors", "tf_efficientnet_b3", true},
      {"tf_efficientnet_b3", "effnetb3_pruned-59ecf72d.pth", "tf_efficientnet_b3", true},
      {"tf_efficientnet_b3", "effnetb3.pth", "efficientnet_b3", true},
      {"tf_efficientnet_b0", "tf_run7.pth", "tf_efficientnet_b0", true},
      {"tf_efficientnet_b0", "mytf_efficientnet_b0.pth", "efficientnet_b0", true},
      {"efficientnet_lite1", "efficientnet_lite_run7.pth", "efficientnet_lite1", true},
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
                                  std::pair("efficientnet_lite4", "tf_efficientnet_lite4"),
                                  std::pair("mobilenetv3_small_075", "tf_mobilenetv3_small_075"),
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

// "norm1" of newer files is "norm.1" there.
std::string old_densenet_name(std::string name) {
  for (const std::string word : {".norm1", ".conv1", ".norm2", ".conv2"}) {
    const size_t at = name.find(word + ".");
    if (at != std::string::npos) name.insert(at + word.size() - 1, ".");
  }
  return name;
}

TEST(Densenet, ReadsTheNamesOfOldFiles) {
  StateDict old = tensors_of("densenet121");
  for (NamedTensor& tensor : old.tensors) tensor.name = old_densenet_name(tensor.name);
  ASSERT_TRUE(find(old, "features.denseblock1.denselayer1.norm.1.weight"));
  EXPECT_THAT(recognised(old), ::testing::ElementsAre("densenet121"));
  auto a = build_as("densenet121", tensors_of("densenet121"));
  auto b = build_as("densenet121", std::move(old));
  ASSERT_TRUE(a.ok() && b.ok()) << a.status().message() << b.status().message();
  ASSERT_EQ(a->taps.size(), b->taps.size());
  for (size_t i = 0; i < a->taps.size(); ++i) EXPECT_EQ(a->taps[i].name, b->taps[i].name);
  for (size_t i = 0; i < a->graph.weights.size(); ++i) {
    EXPECT_EQ(old_densenet_name(a->graph.weights[i].name), b->graph.weights[i].name);
  }
}

TEST(Inception, LeavesOutItsSecondClassifierAndSaysSo) {
  StateDict dict = tensors_of("inception_v3");
  ASSERT_TRUE(find(dict, "AuxLogits.fc.weight"));
  dict.hint = "inception_v3_google-0cc3c7bd.pth";
  EXPECT_THAT(recognised(dict), ::testing::ElementsAre("inception_v3"));
  auto model = build_as("inception_v3", std::move(dict));
  ASSERT_TRUE(model.ok()) << model.status().message();
  EXPECT_THAT(model->info.note, HasSubstr("left out: AuxLogits"));
  EXPECT_THAT(model->info.note, HasSubstr("--arch tf_inception_v3"));
  for (const WeightInfo& weight : model->graph.weights) {
    EXPECT_FALSE(weight.name.starts_with("AuxLogits.")) << weight.name;
  }
}

// timm calls its files inception_v3, too, and torchvision's has a name of its own.
TEST(Inception, WithoutASecondClassifierIsTimms) {
  for (const auto& [hint, expected] :
       {std::pair("inception_v3.pth", "tf_inception_v3"),
        {"adv_inception_v3-9e27bd63.pth", "tf_inception_v3"},
        {"inception_v3.tf_in1k/model.safetensors", "tf_inception_v3"},
        {"inception_v3_google-0cc3c7bd.pth", "inception_v3"},
        {"inception_v3", "inception_v3"}}) {
    StateDict dict = tensors_of("tf_inception_v3");
    dict.hint = hint;
    EXPECT_THAT(recognised(dict), ::testing::ElementsAre(expected)) << hint;
  }
}

// timm's files lack the second classifier.
TEST(Inception, ScalesItsInputForTorchvisionsWeightsOnly) {
  StateDict dict = tensors_of("tf_inception_v3");
  dict.hint = "model.safetensors";
  EXPECT_THAT(recognised(dict), ::testing::ElementsAre("tf_inception_v3"));
  auto plain = build_as("tf_inception_v3", std::move(dict));
  auto scaled = build_as("inception_v3", tensors_of("inception_v3"));
  ASSERT_TRUE(plain.ok() && scaled.ok());
  EXPECT_EQ(plain->taps[0].name, "Conv2d_1a_3x3.conv");
  EXPECT_EQ(scaled->taps[0].name, "transform_input");
}

}  // namespace
}  // namespace penult::converters
