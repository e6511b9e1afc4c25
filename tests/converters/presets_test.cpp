// Presets against what the frameworks' own tables say, typed off from them:
// torchvision 0.29.2, get_model_weights(NET)[...].transforms(): resize_size, crop_size,
// interpolation, mean, std. timm 1.0.31, the pretrained_cfg of NET.TAG: input_size, crop_pct,
// interpolation, mean, std; timm resizes to floor(input_size / crop_pct).

#include "converters/presets.h"

#include <gmock/gmock.h>

#include <cmath>
#include <set>

#include "converters/importer.h"

namespace penult::converters {
namespace {

using ::testing::HasSubstr;
using P = Preprocess;
using Three = std::array<float, 3>;

constexpr Three kMean = {0.485f, 0.456f, 0.406f}, kStd = {0.229f, 0.224f, 0.225f};
constexpr Three kHalf = {0.5f, 0.5f, 0.5f};
constexpr auto kBilinear = P::Filter::kBilinear, kBicubic = P::Filter::kBicubic;

const Preprocess& preset(const char* name) {
  const Preset* found = find_preset(std::string_view(name));
  static const Preprocess kNone;
  EXPECT_NE(found, nullptr) << name;
  return found != nullptr ? found->preprocess : kNone;
}

struct Row {
  const char* name;
  int resize, crop;
  P::Filter filter;
};

TEST(Presets, SayWhatTorchvisionSays) {
  constexpr Row kRows[] = {
      {"torchvision-256", 256, 224, kBilinear},             // ResNet50_Weights.IMAGENET1K_V1
      {"torchvision-232", 232, 224, kBilinear},             // ResNet50_Weights.IMAGENET1K_V2
      {"torchvision-efficientnet-b0", 256, 224, kBicubic},  // EfficientNet_B0_Weights, and so on
      {"torchvision-efficientnet-b1", 256, 240, kBicubic},
      {"torchvision-efficientnet-b1-v2", 255, 240, kBilinear},
      {"torchvision-efficientnet-b2", 288, 288, kBicubic},
      {"torchvision-efficientnet-b3", 320, 300, kBicubic},
      {"torchvision-efficientnet-b4", 384, 380, kBicubic},
      {"torchvision-inception", 342, 299, kBilinear},   // Inception_V3_Weights
      {"torchvision-swag-linear", 224, 224, kBicubic},  // RegNet_Y_16GF_Weights
      {"torchvision-swag-e2e", 384, 384, kBicubic},
  };
  for (const Row& row : kRows) {
    const Preprocess want = {P::ResizeMode::kShortSide, row.resize, row.crop, row.crop, row.filter,
                             P::ChannelOrder::kRgb,     kMean,      kStd};
    EXPECT_EQ(preset(row.name), want) << row.name;
  }
}

struct TimmRow {
  const char* name;
  int size;
  double crop_pct;
  P::Filter filter;
  Three mean, std;
};

TEST(Presets, SayWhatTimmSays) {
  const TimmRow rows[] = {
      {"timm-0.875", 224, 0.875, kBicubic, kMean, kStd},        // efficientnet_b0.ra_in1k
      {"timm-0.95", 224, 0.95, kBicubic, kMean, kStd},          // resnet50.a1_in1k
      {"timm-0.95-160", 160, 0.95, kBicubic, kMean, kStd},      // resnet50.a3_in1k
      {"timm-0.965", 224, 0.965, kBicubic, kMean, kStd},        // regnety_004.tv2_in1k
      {"torchvision-256", 224, 0.875, kBilinear, kMean, kStd},  // resnet50.tv_in1k
      {"timm-0.875-half", 224, 0.875, kBicubic, kHalf, kHalf},  // mobilenetv1_100.ra4_e3600_r224
      {"timm-0.9-half", 224, 0.9, kBicubic, kHalf, kHalf},      // mobilenetv1_125.ra4_e3600_r224
      {"timm-0.95-half", 224, 0.95, kBicubic, kHalf, kHalf},    // mobilenetv3_large_100.ra4
      {"timm-tf-mobilenetv3", 224, 0.875, kBilinear, kHalf, kHalf},  // tf_mobilenetv3_large_100
      {"timm-inception", 299, 0.875, kBicubic, kHalf, kHalf},        // inception_v3.tf_in1k
      {"timm-tf-efficientnet-lite1", 240, 0.882, kBicubic, kHalf, kHalf},
      {"timm-tf-efficientnet-lite2", 260, 0.89, kBicubic, kHalf, kHalf},
      {"timm-tf-efficientnet-lite3", 300, 0.904, kBilinear, kHalf, kHalf},
      {"timm-tf-efficientnet-lite4", 380, 0.92, kBilinear, kHalf, kHalf},
  };
  for (const TimmRow& row : rows) {
    const int resize = static_cast<int>(std::floor(row.size / row.crop_pct));
    const Preprocess want = {P::ResizeMode::kShortSide, resize,   row.size, row.size, row.filter,
                             P::ChannelOrder::kRgb,     row.mean, row.std};
    EXPECT_EQ(preset(row.name), want) << row.name;
  }
}

// What a pixel of 0 and one of 255 become in each channel of the network.
void expect_ends(const char* name, const Three& at_0, const Three& at_255) {
  const Preprocess& p = preset(name);
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR((0 - p.mean[c]) / p.std[c], at_0[c], 1e-4) << name << " channel " << c;
    EXPECT_NEAR((1 - p.mean[c]) / p.std[c], at_255[c], 1e-4) << name << " channel " << c;
  }
}

// keras.applications.imagenet_utils.preprocess_input: tf x / 127.5 - 1; caffe BGR minus (103.939,
// 116.779, 123.68); torch ImageNet's mean and std. TF-Slim: inception_preprocessing.py (x - 0.5) *
// 2; vgg_preprocessing.py minus RGB (123.68, 116.78, 103.94). EfficientNet-Lite's
// lite/efficientnet_lite_builder.py: MEAN_RGB = [127.0] * 3, STDDEV_RGB = [128.0] * 3. open_nsfw's
// classify_nsfw.py: BGR minus (104, 117, 123). 1e-4: up to 155 in float, in steps of 1.5e-5,
// rounded a few times.
TEST(Presets, MakeTheNumbersOfKerasSlimLiteAndOpenNsfw) {
  expect_ends("keras-tf", {-1, -1, -1}, {1, 1, 1});
  expect_ends("keras-caffe", {-103.939f, -116.779f, -123.68f}, {151.061f, 138.221f, 131.32f});
  EXPECT_EQ(preset("keras-caffe").channel_order, P::ChannelOrder::kBgr);
  EXPECT_EQ(preset("keras-torch").mean, kMean);
  expect_ends("tf-slim-inception", {-1, -1, -1}, {1, 1, 1});
  expect_ends("tf-slim-vgg", {-123.68f, -116.78f, -103.94f}, {131.32f, 138.22f, 151.06f});
  expect_ends("efficientnet-lite0", {-127.f / 128, -127.f / 128, -127.f / 128}, {1, 1, 1});
  expect_ends("open-nsfw", {-104, -117, -123}, {151, 138, 132});
  EXPECT_EQ(preset("open-nsfw").channel_order, P::ChannelOrder::kBgr);
}

TEST(Presets, HaveTheGeometryOfKerasSlimLiteAndOpenNsfw) {
  for (const char* name : {"keras-tf", "keras-caffe", "keras-torch"}) {
    EXPECT_EQ(preset(name).resize_mode, P::ResizeMode::kSquash) << name;
    EXPECT_EQ(preset(name).resize, 224) << name;
    EXPECT_EQ(preset(name).crop_h, 224) << name;
  }
  EXPECT_EQ(preset("keras-tf-299").resize, 299);
  // central_fraction 0.875, then squashed to the size: the same as squashed to size / 0.875,
  // cropped.
  EXPECT_EQ(preset("tf-slim-inception").resize, 256);
  EXPECT_EQ(preset("tf-slim-inception-299").resize, std::lround(299 / 0.875));
  constexpr int kLite[] = {224, 240, 260, 300, 380};  // efficientnet_lite_params
  for (int i = 0; i < 5; ++i) {
    const Preprocess& p = preset(("efficientnet-lite" + std::to_string(i)).c_str());
    EXPECT_EQ(p.crop_h, kLite[i]);
    EXPECT_EQ(p.resize, kLite[i] + 32);  // CROP_PADDING
    EXPECT_EQ(p.filter, kBicubic);
  }
}

TEST(Presets, HaveNamesOfTheirOwnAndFitIntoAModelFile) {
  std::set<std::string> names;
  for (const Preset& each : all_presets()) {
    EXPECT_TRUE(names.insert(each.name).second) << each.name;
    EXPECT_GE(each.preprocess.resize, each.preprocess.crop_h) << each.name;
    EXPECT_EQ(each.preprocess.crop_h, each.preprocess.crop_w) << each.name;
    EXPECT_EQ(find_preset(std::string_view(each.name)), &each);
    EXPECT_EQ(find_preset(each.preprocess)->preprocess, each.preprocess);
  }
  EXPECT_EQ(find_preset(std::string_view("keras")), nullptr);
}

// resnet50d is no EfficientNet of torchvision, though pictures are prepared alike for both.
TEST(Presets, OfTwoThatSayTheSameTheMoreGeneralOneIsFound) {
  const Preprocess& one_nets = preset("torchvision-efficientnet-b0");
  EXPECT_EQ(one_nets, preset("timm-0.875"));
  EXPECT_STREQ(find_preset(one_nets)->name, "timm-0.875");
}

std::string object(const std::string& from = "", const std::string& to = "") {
  std::string text = R"({"resize_mode":"squash","resize":100,"crop":[64,96],"filter":"bicubic",)"
                     R"("antialias":true,"channel_order":"bgr","mean":[0.1,0.2,0.3],)"
                     R"("std":[1,2,3]})";
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Crop, ShowsTheSamePartAtEverySizeThatAModelCanHave) {
  Preprocess p;  // 256, 224 x 224
  crop_to(160, 448, p);
  EXPECT_EQ((std::array{p.resize, p.crop_h, p.crop_w}), (std::array{512, 160, 448}));
  crop_to(16344, 16, p);
  EXPECT_EQ((std::array{p.resize, p.crop_h, p.crop_w}), (std::array{16384, 16344, 16}));
}

TEST(PreprocessFile, IsReadWhole) {
  const auto read = parse_preprocess(object());
  ASSERT_TRUE(read.ok()) << read.status().message();
  const Preprocess want = {
      P::ResizeMode::kSquash, 100,      64, 96, kBicubic, P::ChannelOrder::kBgr,
      {0.1f, 0.2f, 0.3f},     {1, 2, 3}};
  EXPECT_EQ(*read, want);
}

TEST(PreprocessFile, HasMeansOfValuesFromZeroToOne) {
  const auto with_mean = [](const std::string& mean) {
    std::string text = object();
    return parse_preprocess(text.replace(text.find("0.3"), 3, mean));
  };
  EXPECT_TRUE(with_mean("1").ok());
  EXPECT_TRUE(with_mean("-2").ok());
  const auto read = with_mean("103.53");
  EXPECT_EQ(read.status().code(), StatusCode::kFormatCorrupt);
  EXPECT_THAT(read.status().message(), HasSubstr("expected means of values from 0 to 1: divide"));
}

TEST(PreprocessFile, HasACropInsideItsResize) {
  const auto with_sizes = [](const std::string& resize, const std::string& crop) {
    std::string text = object("[64,96]", crop);
    return parse_preprocess(text.replace(text.find("100"), 3, resize));
  };
  EXPECT_TRUE(with_sizes("96", "[64,96]").ok());
  EXPECT_TRUE(with_sizes("96", "[96,96]").ok());
  for (const char* crop : {"[64,97]", "[97,64]", "[16384,16384]"}) {
    const auto read = with_sizes("96", crop);
    EXPECT_EQ(read.status().code(), StatusCode::kFormatCorrupt) << crop;
    EXPECT_THAT(read.status().message(), HasSubstr("no side above 96")) << crop;
  }
  EXPECT_THAT(with_sizes("96", "[64,97]").status().message(),
              HasSubstr("\"crop\" is 64x97 and \"resize\" 96, expected"));
}

TEST(PreprocessFile, IsDescribedByTheNumbersThatItHolds) {
  const auto read = parse_preprocess(object());
  ASSERT_TRUE(read.ok()) << read.status().message();
  EXPECT_EQ(describe(*read),
            "squashed to 100 bicubic, crop 64x96, bgr, mean (0.1, 0.2, 0.3), std (1, 2, 3)");
}

TEST(PreprocessFile, NeedsEveryKeyAndKnowsNoOther) {
  const std::pair<const char*, const char*> changes[] = {
      {"\"resize\":100,", ""},
      {"\"std\":[1,2,3]", "\"sdt\":[1,2,3]"},
      {"squash", "stretch"},
      {"bicubic", "nearest"},
      {"[64,96]", "64"},
      {"[64,96]", "[64,96,3]"},
      {"100", "0"},
      {"100", "16385"},
      {"100", "-5"},
      {"100", "100.5"},
      {"100", "99999999999999999999"},
      {"[1,2,3]", "[1,2]"},
      {"[1,2,3]", "[1,2,\"3\"]"},
      {"[1,2,3]", "[1,0,3]"},
      {"[1,2,3]", "[1,2,-3]"},
      {"true", "false"},
      {"{", "[{"},
      {"}", ""},
      {"\"bgr\"", "3"},
      {"\"mean\"", "\"extra\":1,\"mean\""},
  };
  for (const auto& [from, to] : changes) {
    const auto read = parse_preprocess(object(from, to));
    EXPECT_EQ(read.status().code(), StatusCode::kFormatCorrupt) << from << " -> " << to;
  }
  EXPECT_THAT(parse_preprocess(object("bicubic", "nearest")).status().message(),
              HasSubstr("expected \"bilinear\" or \"bicubic\""));
}

TEST(PreprocessFile, ARefusalSaysWhatItGot) {
  const auto refusal = [](const char* from, const char* to) {
    return std::string(parse_preprocess(object(from, to)).status().message());
  };
  EXPECT_EQ(refusal("\"bgr\"", "\"RGB\""),
            "\"channel_order\" is \"RGB\", expected \"rgb\" or \"bgr\"");
  EXPECT_EQ(refusal("bicubic", "lanczos"),
            "\"filter\" is \"lanczos\", expected \"bilinear\" or \"bicubic\"");
  EXPECT_EQ(refusal("100", "[64,64]"),
            "\"resize\": got [64,64], expected one number of pixels, whole, 1 to 16384");
  EXPECT_EQ(refusal("[64,96]", "64"), "\"crop\" is 64, expected [height, width]");
  EXPECT_EQ(refusal("[64,96]", "[64,0]"),
            "\"crop\": got 0, expected numbers of pixels, whole, 1 to 16384");
  EXPECT_EQ(refusal("[1,2,3]", "[1,2]"), "\"std\" is [1,2], expected a list of three numbers");
  EXPECT_EQ(refusal("[1,2,3]", "[1,0,3]"), "\"std\" is [1,0,3], expected three numbers above 0");
  EXPECT_THAT(refusal("\"mean\"", "\"average\":1,\"mean\""),
              HasSubstr("\"average\" is not known, expected resize_mode, resize, crop, filter"));
  const std::string escaped = refusal("bicubic", "\\u001b\\u202e\\n");
  EXPECT_THAT(escaped, HasSubstr("\\u001b\\u202e\\n"));  // as it stands in the file
  EXPECT_LT(refusal("bicubic", std::string(10'000, 'x').c_str()).size(), 200u);
  EXPECT_THAT(parse_preprocess("[]").status().message(), HasSubstr("got [], expected a JSON"));
  EXPECT_THAT(parse_preprocess("{").status().message(), HasSubstr("no JSON, expected a JSON"));
}

}  // namespace
}  // namespace penult::converters
