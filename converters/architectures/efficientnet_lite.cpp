// EfficientNet-Lite (Google 2020), timm's `tf_efficientnet_lite0` to `_lite4`: TensorFlow's SAME
// padding, ReLU6, no squeeze-and-excitation, batchnorm eps 1e-3; and timm's own
// `efficientnet_lite0` to `_lite4` with its padding and eps. Two namings of the same tensors are
// read: timm's (blocks.1.0.conv_pw) and that of the efficientnet_lite_pytorch package
// (_blocks.1._expand_conv). Widths come from the shapes.

#include "converters/architectures/architectures.h"
#include "converters/architectures/mbconv.h"
#include "converters/architectures/members.h"

namespace penult::converters {
namespace {

using mbconv::kTimm;

constexpr mbconv::Stage kStages[] = {{3, 1}, {3, 2}, {5, 2}, {3, 2}, {5, 1}, {5, 2}, {3, 1}};
constexpr mbconv::Family kFamily = {
    .stages = kStages, .ends = &kRelu6, .reduce = nullptr, .gate = nullptr};

using Depths = std::array<int, 7>;
constexpr Depths kLite0 = {1, 2, 2, 3, 3, 4, 1}, kLite1 = {1, 3, 3, 4, 4, 5, 1},
                 kLite3 = {1, 3, 3, 5, 5, 6, 1}, kLite4 = {1, 4, 4, 6, 6, 8, 1};

// (x - 127) / 128 on 0..255, as the weights were trained; the crop is 32 pixels smaller than the
// resized short side, as in Google's evaluation.
constexpr Preprocess google_preprocess(int32_t crop) {
  constexpr float kMean = 127.0f / 255.0f, kStd = 128.0f / 255.0f;
  return {.resize = crop + 32,
          .crop_h = crop,
          .crop_w = crop,
          .filter = Preprocess::Filter::kBicubic,
          .mean = {kMean, kMean, kMean},
          .std = {kStd, kStd, kStd}};
}

constexpr mbconv::Member google(const char* name, const Depths& depths, int64_t width, int32_t crop,
                                const char* twin) {
  return {.name = name,
          .family = &kFamily,
          .depths = depths,
          .width = width,
          .eps = 1e-3f,
          .same_padding = true,
          .main = &kTimm,
          .other = nullptr,
          .sources = {&kTimm, &mbconv::kLitePackage},
          .twin = twin,
          .preprocess = google_preprocess(crop)};
}

// timm's own.
constexpr mbconv::Member timm(const char* name, const Depths& depths, int64_t width, int32_t resize,
                              int32_t crop, const char* twin) {
  mbconv::Member member = google(name, depths, width, crop, twin);
  member.eps = 1e-5f;
  member.same_padding = false;
  member.sources = {&kTimm};
  member.is_default = false;
  member.preprocess = {
      .resize = resize, .crop_h = crop, .crop_w = crop, .filter = Preprocess::Filter::kBicubic};
  return member;
}

constexpr std::array<mbconv::Member, 10> kMembers = {{
    google("tf_efficientnet_lite0", kLite0, 0, 224, "efficientnet_lite0"),
    google("tf_efficientnet_lite1", kLite1, 40, 240, "efficientnet_lite1"),
    google("tf_efficientnet_lite2", kLite1, 48, 260, "efficientnet_lite2"),
    google("tf_efficientnet_lite3", kLite3, 0, 300, "efficientnet_lite3"),
    google("tf_efficientnet_lite4", kLite4, 0, 380, "efficientnet_lite4"),
    timm("efficientnet_lite0", kLite0, 0, 256, 224, "tf_efficientnet_lite0"),
    timm("efficientnet_lite1", kLite1, 40, 272, 240, "tf_efficientnet_lite1"),
    timm("efficientnet_lite2", kLite1, 48, 292, 260, "tf_efficientnet_lite2"),
    timm("efficientnet_lite3", kLite3, 0, 331, 300, "tf_efficientnet_lite3"),
    timm("efficientnet_lite4", kLite4, 0, 412, 380, "tf_efficientnet_lite4"),
}};

}  // namespace

std::span<const Architecture> efficientnet_lites() {
  static constexpr auto kAll = architectures_of<kMembers, mbconv::looks_like, mbconv::build>();
  return kAll;
}

}  // namespace penult::converters
