#include "converters/presets.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "engine/base/check.h"
#include "engine/base/text.h"

namespace penult::converters {
namespace {

constexpr int64_t kMaxSide = 16384;  // that of the model file

using P = Preprocess;
using Three = std::array<float, 3>;

constexpr Three kHalf = {0.5f, 0.5f, 0.5f};
constexpr Three kLiteMean = {127.0f / 255, 127.0f / 255, 127.0f / 255};
constexpr Three kLiteStd = {128.0f / 255, 128.0f / 255, 128.0f / 255};
constexpr Three kByteStd = {1.0f / 255, 1.0f / 255, 1.0f / 255};
constexpr Three kCaffeBgr = {103.939f / 255, 116.779f / 255, 123.68f / 255};
constexpr Three kSlimRgb = {123.68f / 255, 116.78f / 255, 103.94f / 255};
constexpr Three kNsfwBgr = {104.0f / 255, 117.0f / 255, 123.0f / 255};

constexpr P short_side(int32_t resize, int32_t crop, P::Filter filter) {
  P p;
  p.resize = resize;
  p.crop_h = p.crop_w = crop;
  p.filter = filter;
  return p;
}
constexpr P bilinear(int32_t resize, int32_t crop) {
  return short_side(resize, crop, P::Filter::kBilinear);
}
constexpr P bicubic(int32_t resize, int32_t crop) {
  return short_side(resize, crop, P::Filter::kBicubic);
}
constexpr P squash(int32_t resize, int32_t crop) {
  P p = bilinear(resize, crop);
  p.resize_mode = P::ResizeMode::kSquash;
  return p;
}
constexpr P scaled(P p, const Three& mean, const Three& std) {
  p.mean = mean;
  p.std = std;
  return p;
}
constexpr P bgr(P p) {
  p.channel_order = P::ChannelOrder::kBgr;
  return p;
}

// timm resizes to its size divided by crop_pct, rounded down. Mean and std are ImageNet's unless
// the name says half: all 0.5.
constexpr Preset kPresets[] = {
    {"torchvision-256", "torchvision's first weights of most nets", bilinear(256, 224)},
    {"torchvision-232", "torchvision's second weights (IMAGENET1K_V2) of most nets",
     bilinear(232, 224)},
    {"torchvision-efficientnet-b0", "torchvision's efficientnet_b0", bicubic(256, 224)},
    {"torchvision-efficientnet-b1", "torchvision's efficientnet_b1, first weights",
     bicubic(256, 240)},
    {"torchvision-efficientnet-b1-v2", "torchvision's efficientnet_b1, second weights",
     bilinear(255, 240)},
    {"torchvision-efficientnet-b2", "torchvision's efficientnet_b2", bicubic(288, 288)},
    {"torchvision-efficientnet-b3", "torchvision's efficientnet_b3", bicubic(320, 300)},
    {"torchvision-efficientnet-b4", "torchvision's efficientnet_b4", bicubic(384, 380)},
    {"torchvision-inception", "torchvision's inception_v3, which then shifts the channels itself",
     bilinear(342, 299)},
    {"torchvision-swag-linear", "torchvision's regnet_y SWAG_LINEAR", bicubic(224, 224)},
    {"torchvision-swag-e2e", "torchvision's regnet_y SWAG_E2E", bicubic(384, 384)},
    {"timm-0.875", "timm: crop_pct 0.875, bicubic, 224", bicubic(256, 224)},
    {"timm-0.95", "timm: crop_pct 0.95, bicubic, 224 (resnet*.a1_in1k)", bicubic(235, 224)},
    {"timm-0.95-160", "timm: crop_pct 0.95, bicubic, 160 (resnet*.a3_in1k)", bicubic(168, 160)},
    {"timm-0.965", "timm: crop_pct 0.965, bicubic, 224 (regnety_*.tv2_in1k)", bicubic(232, 224)},
    {"timm-0.875-half", "timm: crop_pct 0.875, bicubic, 224, all 0.5 (mobilenetv1_100)",
     scaled(bicubic(256, 224), kHalf, kHalf)},
    {"timm-0.9-half", "timm: crop_pct 0.9, bicubic, 224, all 0.5 (mobilenetv1_125)",
     scaled(bicubic(248, 224), kHalf, kHalf)},
    {"timm-0.95-half", "timm: crop_pct 0.95, bicubic, 224, all 0.5 (mobilenetv3_large_100.ra4)",
     scaled(bicubic(235, 224), kHalf, kHalf)},
    {"timm-tf-mobilenetv3", "timm's tf_mobilenetv3_*: bilinear, all 0.5",
     scaled(bilinear(256, 224), kHalf, kHalf)},
    {"timm-inception", "timm's inception_v3: bicubic, 299, all 0.5",
     scaled(bicubic(341, 299), kHalf, kHalf)},
    {"timm-tf-efficientnet-lite1", "timm's tf_efficientnet_lite1",
     scaled(bicubic(272, 240), kHalf, kHalf)},
    {"timm-tf-efficientnet-lite2", "timm's tf_efficientnet_lite2",
     scaled(bicubic(292, 260), kHalf, kHalf)},
    {"timm-tf-efficientnet-lite3", "timm's tf_efficientnet_lite3",
     scaled(bilinear(331, 300), kHalf, kHalf)},
    {"timm-tf-efficientnet-lite4", "timm's tf_efficientnet_lite4",
     scaled(bilinear(413, 380), kHalf, kHalf)},
    {"efficientnet-lite0", "EfficientNet-Lite's authors: size + 32, bicubic, (x - 127) / 128",
     scaled(bicubic(256, 224), kLiteMean, kLiteStd)},
    {"efficientnet-lite1", "the same, 240", scaled(bicubic(272, 240), kLiteMean, kLiteStd)},
    {"efficientnet-lite2", "the same, 260", scaled(bicubic(292, 260), kLiteMean, kLiteStd)},
    {"efficientnet-lite3", "the same, 300", scaled(bicubic(332, 300), kLiteMean, kLiteStd)},
    {"efficientnet-lite4", "the same, 380", scaled(bicubic(412, 380), kLiteMean, kLiteStd)},
    {"keras-tf",
     "keras.applications' mode tf: MobileNet; bilinear where Keras takes the nearest pixel",
     scaled(squash(224, 224), kHalf, kHalf)},
    {"keras-tf-299", "the same, 299: InceptionV3, Xception",
     scaled(squash(299, 299), kHalf, kHalf)},
    {"keras-caffe", "keras.applications' mode caffe: ResNet50, VGG; bilinear as above",
     bgr(scaled(squash(224, 224), kCaffeBgr, kByteStd))},
    {"keras-torch", "keras.applications' mode torch: DenseNet; bilinear as above",
     squash(224, 224)},
    {"tf-slim-inception",
     "TF-Slim's inception preprocessing: MobileNet; smoothed, which TensorFlow's is not",
     scaled(squash(256, 224), kHalf, kHalf)},
    {"tf-slim-inception-299", "the same, 299: Inception", scaled(squash(342, 299), kHalf, kHalf)},
    {"tf-slim-vgg", "TF-Slim's vgg preprocessing: ResNet, VGG; smoothed, which TensorFlow's is not",
     scaled(bilinear(256, 224), kSlimRgb, kByteStd)},
    {"open-nsfw", "Yahoo's open_nsfw", bgr(scaled(squash(256, 224), kNsfwBgr, kByteStd))},
};

Status corrupt(const std::string& what) { return {StatusCode::kFormatCorrupt, what}; }

using Json = nlohmann::json;

// A value as it stands in the file, for messages.
std::string show(const Json& value) {
  constexpr size_t kEnough = 60;
  const std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= kEnough ? text : text.substr(0, kEnough) + "...";
}

// `kFirst` or `kSecond`, by the words that stand for them.
template <class Enum>
Status read_word(const Json& root, const char* key, std::array<const char*, 2> words, Enum& to) {
  const Json& value = root[key];
  for (int i = 0; i < 2; ++i) {
    if (value != words[static_cast<size_t>(i)]) continue;
    to = static_cast<Enum>(i);
    return {};
  }
  return corrupt(concat(quote(key), " is ", show(value), ", expected ", quote(words[0]), " or ",
                        quote(words[1])));
}

// `what` says of which value of `key`: "one number of pixels".
Status read_side(const Json& value, const char* key, const char* what, int32_t& to) {
  const int64_t side = value.is_number_unsigned() && value < std::numeric_limits<int64_t>::max()
                           ? value.get<int64_t>()
                           : 0;
  if (side < 1 || side > kMaxSide) {
    return corrupt(
        concat(quote(key), ": got ", show(value), ", expected ", what, ", whole, 1 to ", kMaxSide));
  }
  to = static_cast<int32_t>(side);
  return {};
}

// Pictures would get a black frame.
Status check_crop(const Preprocess& p) {
  if (std::max(p.crop_h, p.crop_w) <= p.resize) return {};
  return corrupt(concat("\"crop\" is ", p.crop_h, "x", p.crop_w, " and \"resize\" ", p.resize,
                        ", expected a crop inside the resized picture: no side above ", p.resize));
}

Status read_three(const Json& root, const char* key, Three& to) {
  const Json& value = root[key];
  const bool fits = value.is_array() && value.size() == 3 && value[0].is_number() &&
                    value[1].is_number() && value[2].is_number();
  if (!fits) {
    return corrupt(concat(quote(key), " is ", show(value), ", expected a list of three numbers"));
  }
  for (size_t c = 0; c < 3; ++c) to[c] = value[c].get<float>();
  return {};
}

constexpr const char* kKeys[] = {"resize_mode",   "resize", "crop", "filter",
                                 "channel_order", "mean",   "std"};

std::string list_keys() {
  std::string keys;
  for (const char* key : kKeys) keys += concat(keys.empty() ? "" : ", ", key);
  return keys;
}

Status check_keys(const Json& root) {
  for (const char* key : kKeys) {
    if (!root.contains(key)) {
      return corrupt(concat(quote(key), " is missing, expected ", list_keys()));
    }
  }
  for (const auto& [key, value] : root.items()) {
    const bool known = std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
    if (!known && key != "antialias") {
      return corrupt(concat(quote(key), " is not known, expected ", list_keys()));
    }
  }
  if (root.value("antialias", Json(true)) != Json(true)) {
    return corrupt(concat("\"antialias\" is ", show(root["antialias"]),
                          ", expected true, which is all that penult can do"));
  }
  return {};
}

// 0.485, which as a double would be 0.48500001430511475.
std::string shortest(float number) {
  std::array<char, 32> text = {};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

}  // namespace

std::span<const Preset> all_presets() { return kPresets; }

const Preset* find_preset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (name == preset.name) return &preset;
  }
  return nullptr;
}

const Preset* find_preset(const Preprocess& preprocess) {
  const Preset* found = nullptr;
  for (const Preset& preset : kPresets) {
    if (preprocess == preset.preprocess) found = &preset;
  }
  return found;
}

std::string presets_near(const std::string& name) {
  std::vector<std::string> names;
  for (const Preset& preset : kPresets) names.emplace_back(preset.name);
  std::string near;
  for (const std::string& each : nearest_names(name, names, 3)) {
    near += concat(near.empty() ? "" : ", ", each);
  }
  return near;
}

Result<Preprocess> parse_preprocess(std::string_view json) {
  const Json root = Json::parse(json, nullptr, false);
  if (!root.is_object()) {
    return corrupt(concat(root.is_discarded() ? "no JSON" : concat("got ", show(root)),
                          ", expected a JSON object with ", list_keys()));
  }
  PENULT_RETURN_IF_ERROR(check_keys(root));
  Preprocess p;
  PENULT_RETURN_IF_ERROR(read_word(root, "resize_mode", {"short_side", "squash"}, p.resize_mode));
  PENULT_RETURN_IF_ERROR(read_word(root, "filter", {"bilinear", "bicubic"}, p.filter));
  PENULT_RETURN_IF_ERROR(read_word(root, "channel_order", {"rgb", "bgr"}, p.channel_order));
  PENULT_RETURN_IF_ERROR(read_side(root["resize"], "resize", "one number of pixels", p.resize));
  const Json& crop = root["crop"];
  if (!crop.is_array() || crop.size() != 2) {
    return corrupt(concat("\"crop\" is ", show(crop), ", expected [height, width]"));
  }
  PENULT_RETURN_IF_ERROR(read_side(crop[0], "crop", "numbers of pixels", p.crop_h));
  PENULT_RETURN_IF_ERROR(read_side(crop[1], "crop", "numbers of pixels", p.crop_w));
  PENULT_RETURN_IF_ERROR(check_crop(p));
  PENULT_RETURN_IF_ERROR(read_three(root, "mean", p.mean));
  if (std::any_of(p.mean.begin(), p.mean.end(), [](float number) { return number > 1; })) {
    return corrupt(concat("\"mean\" is ", show(root["mean"]),
                          ", expected means of values from 0 to 1: divide \"mean\" and \"std\" of "
                          "values from 0 to 255 by 255"));
  }
  PENULT_RETURN_IF_ERROR(read_three(root, "std", p.std));
  if (!std::all_of(p.std.begin(), p.std.end(), [](float number) { return number > 0; })) {
    return corrupt(concat("\"std\" is ", show(root["std"]), ", expected three numbers above 0"));
  }
  return p;
}

void crop_to(int64_t h, int64_t w, Preprocess& preprocess) {
  const int64_t before = std::max(preprocess.crop_h, preprocess.crop_w);
  const int64_t resize = preprocess.resize * std::max(h, w) / before;
  preprocess.resize = static_cast<int32_t>(std::min(resize, kMaxSide));
  preprocess.crop_h = static_cast<int32_t>(h);
  preprocess.crop_w = static_cast<int32_t>(w);
}

std::string describe(const Preprocess& p) {
  const auto three = [](const Three& v) {
    return concat("(", shortest(v[0]), ", ", shortest(v[1]), ", ", shortest(v[2]), ")");
  };
  return concat(p.resize_mode == P::ResizeMode::kShortSide ? "short side " : "squashed to ",
                p.resize, p.filter == P::Filter::kBilinear ? " bilinear" : " bicubic", ", crop ",
                p.crop_h, "x", p.crop_w,
                p.channel_order == P::ChannelOrder::kRgb ? ", rgb" : ", bgr", ", mean ",
                three(p.mean), ", std ", three(p.std));
}

}  // namespace penult::converters
