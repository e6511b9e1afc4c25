// Names of files and folders that say which network is in them, where tensors do not.

#include "converters/architectures/file_names.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/converters/family_facts.h"

namespace penult::converters {
namespace {

namespace fs = std::filesystem;
using ::testing::Each;
using ::testing::HasSubstr;

TEST(NamesOfFiles, AgreeInWholeWordsFromTheBeginningOn) {
  EXPECT_EQ(agreement("efficientnet_lite1.pth", "efficientnet_lite1"), 18u);
  EXPECT_EQ(agreement("my/EfficientNet-Lite2.pth", "efficientnet_lite1"), 12u);
  EXPECT_EQ(agreement("tf_efficientnet_lite2.pth", "tf_efficientnet_lite1"), 15u);
  EXPECT_EQ(agreement("efficientnet_lite10.pth", "efficientnet_lite1"), 12u);
  EXPECT_EQ(agreement("xefficientnet_lite1.pth", "efficientnet_lite1"), 0u);
  EXPECT_EQ(agreement("weights.pth", "resnet18"), 0u);
  EXPECT_EQ(agreement("", "resnet18"), 0u);
}

TEST(NamesOfFiles, TakeTheFoldersToThemWhereTheySayNothing) {
  const auto name = [](const char* path) { return name_that_tells(path); };
  EXPECT_EQ(name("/a/timm/tf_efficientnet_b0.in1k/model.safetensors"),
            "tf_efficientnet_b0.in1k/model.safetensors");
  EXPECT_EQ(name("/a/net7/pytorch_model.bin"), "net7/pytorch_model.bin");
  EXPECT_EQ(name("/a/net7/checkpoint-12.pth.tar"), "net7/checkpoint-12.pth.tar");
  EXPECT_EQ(name("/a/net7/../net8/model_best.pth"), "net8/model_best.pth");
  EXPECT_EQ(name("/a/models--timm--tf_net/snapshots/0af3b1/model.safetensors"),
            "models--timm--tf_net/model.safetensors");
  EXPECT_EQ(name("/a/net7/resnet18.pth"), "resnet18.pth");
  EXPECT_EQ(name("/model.pth"), "model.pth");
  EXPECT_EQ(name("model.pth"), (fs::current_path().filename() / "model.pth").string());
}

TEST(NamesOfFiles, OfOtherNetworksAreKnown) {
  const std::pair<const char*, const char*> others[] = {
      {"resnetaa50-4d2ae41d.pth", "resnet50"},
      {"timm/ResNetBlur18.bin", "resnet18"},
      {"efficientnet_blur_b0.pth", "efficientnet_b0"},
      {"resnet50_caffe-788b5fa3.pth", "resnet50"},
      {"lraspp_mobilenet_v3_large-d234d4ea.pth", "mobilenet_v3_large"},
      {"backbones/deeplabv3_resnet50_coco-cd0a2569.pth", "resnet50"},
      {"fcn_resnet101.pth", "resnet101"},
      {"resnet101-dilated.pth", "resnet101"},
      {"resnet18_silu.pth", "resnet18"},
  };
  for (const auto& [hint, architecture] : others) {
    const std::string message = other_network(hint, architecture);
    EXPECT_THAT(message, HasSubstr(hint));
    EXPECT_THAT(message, HasSubstr(std::string("--arch ") + architecture));
    EXPECT_THAT(message, HasSubstr("ONNX"));
  }
}

TEST(NamesOfFiles, ThatOnlyLookLikeThoseAreNone) {
  EXPECT_EQ(other_network("blurry_resnet50.pth", "resnet50"), "");
  EXPECT_EQ(other_network("efficientnet_b0_silu.pth", "efficientnet_b0"), "");
  EXPECT_EQ(other_network("vgg16_caffe.pth", "vgg16"), "");
  EXPECT_EQ(other_network("resnet50_aa.pth", "resnet50"), "");
}

// What all architectures are called is not the name of another network.
TEST(NamesOfFiles, OfArchitecturesAreTheirOwn) {
  for (const Architecture& architecture : all_architectures()) {
    EXPECT_EQ(other_network(architecture.name, architecture.name), "");
  }
}

// Files of numbers that are all alike, through import_file().
class ImportNamed : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "penult-names-XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<ModelData> import(const std::string& net, const std::string& path,
                           const std::string& architecture = "") {
    fs::create_directories((folder_ / path).parent_path());
    write(tensors_of(net), folder_ / path);
    ImportOptions options;
    options.arch = architecture;
    return import_file((folder_ / path).string(), options, &report_);
  }
  ImportReport report_;

 private:
  static void write(const StateDict& dict, const fs::path& path) {
    nlohmann::json header;
    size_t end = 0;
    for (const NamedTensor& tensor : dict.tensors) {
      if (tensor.is_counter) continue;
      size_t bytes = 4;
      for (const int64_t dim : tensor.dims) bytes *= static_cast<size_t>(dim);
      header[tensor.name] = {
          {"dtype", "F32"}, {"shape", tensor.dims}, {"data_offsets", {end, end + bytes}}};
      end += bytes;
    }
    const std::string text = header.dump();
    const uint64_t length = text.size();
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(&length), 8) << text << std::string(end, '\0');
  }
  fs::path folder_;
};

TEST_F(ImportNamed, LikeAnotherNetworkIsRefusedUnlessTheUserInsists) {
  const auto model = import("resnet26d_narrow", "resnetaa26d.safetensors");
  EXPECT_EQ(model.status().code(), StatusCode::kFormatUnsupported);
  EXPECT_THAT(model.status().message(),
              HasSubstr("the tensors are those of resnet26d, but the name "
                        "\"resnetaa26d.safetensors\" says \"resnetaa\""));
  EXPECT_TRUE(import("resnet26d_narrow", "resnetaa26d.safetensors", "resnet26d").ok());
  EXPECT_TRUE(import("resnet26d_narrow", "resnet26d.safetensors").ok());
}

TEST_F(ImportNamed, AsItsFolderIsTheTwinThatTheFolderNames) {
  const auto tf =
      import("mobilenetv3_small_075", "tf_mobilenetv3_small_075.in1k/model.safetensors");
  ASSERT_TRUE(tf.ok()) << tf.status().message();
  EXPECT_EQ(tf->info.architecture, "tf_mobilenetv3_small_075");
  EXPECT_THAT(report_.notes,
              Each(HasSubstr("by the name \"tf_mobilenetv3_small_075.in1k/model.safetensors\"")));
  EXPECT_EQ(report_.notes.size(), 1u);
  const auto plain = import("mobilenetv3_small_075", "tf_net/mobilenetv3_small_075.safetensors");
  ASSERT_TRUE(plain.ok()) << plain.status().message();
  EXPECT_EQ(plain->info.architecture, "mobilenetv3_small_075");
}

}  // namespace
}  // namespace penult::converters
