// EfficientNet (Tan and Le 2019), torchvision's and timm's `efficientnet_b0` to `efficientnet_b4`,
// and timm's `tf_efficientnet_b0` to `_b4`, trained in TensorFlow: the same tensors, other padding
// and batchnorm eps. Widths come from the shapes.

#include "converters/architectures/architectures.h"
#include "converters/architectures/mbconv.h"
#include "converters/architectures/members.h"

namespace penult::converters {
namespace {

using mbconv::kTimm;

std::string torch_stage(int stage) { return "features." + std::to_string(stage + 1); }

std::string torch_block(int stage, int index, int) {
  return torch_stage(stage) + "." + std::to_string(index);
}

// FX nodes, and the module paths inside its leaves (Conv2dNormActivation, SqueezeExcitation).
constexpr mbconv::Scheme kTorch = {
    .outer = {"features.0.0", "features.0.1", "features.0 features.0.2", "features.8.0",
              "features.8.1", "features.8 features.8.2", "avgpool flatten classifier.0", nullptr,
              nullptr, "classifier.1"},
    .plain = {nullptr, nullptr, nullptr, "block.0.0", "block.0.1", "block.0 block.0.2", nullptr,
              "block.1.avgpool", "block.1.fc1", "block.1.activation", "block.1.fc2",
              "block.1.scale_activation", "block.1", "block.2.0", "block.2 block.2.1 =block.2.1",
              "stochastic_depth", "add"},
    .expanding = {"block.0.0", "block.0.1", "block.0 block.0.2", "block.1.0", "block.1.1",
                  "block.1 block.1.2", nullptr, "block.2.avgpool", "block.2.fc1",
                  "block.2.activation", "block.2.fc2", "block.2.scale_activation", "block.2",
                  "block.3.0", "block.3 block.3.1 =block.3.1", "stochastic_depth", "add"},
    .block = torch_block,
    .stage = torch_stage,
    .ends_are_blocks = true,
};

constexpr bool kSe = true;
constexpr mbconv::Stage kStages[] = {{3, 1, kSe, &kSilu}, {3, 2, kSe, &kSilu}, {5, 2, kSe, &kSilu},
                                     {3, 2, kSe, &kSilu}, {5, 1, kSe, &kSilu}, {5, 2, kSe, &kSilu},
                                     {3, 1, kSe, &kSilu}};
constexpr mbconv::Family kFamily = {
    .stages = kStages, .ends = &kSilu, .reduce = &kSilu, .gate = &kSigmoid};

using Depths = std::array<int, 7>;
constexpr Depths kB0 = {1, 2, 2, 3, 3, 4, 1}, kB1 = {2, 3, 3, 4, 4, 5, 2},
                 kB3 = {2, 3, 3, 5, 5, 6, 2}, kB4 = {2, 4, 4, 6, 6, 8, 2};

// As torchvision evaluated its weights.
constexpr mbconv::Member torch(const char* name, const char* twin, const Depths& depths,
                               int64_t width, int32_t resize, int32_t crop) {
  return {.name = name,
          .family = &kFamily,
          .depths = depths,
          .width = width,
          .eps = 1e-5f,
          .same_padding = false,
          .main = &kTorch,
          .other = &kTimm,
          .sources = {&kTorch, &kTimm},
          .twin = twin,
          .preprocess = {.resize = resize,
                         .crop_h = crop,
                         .crop_w = crop,
                         .filter = Preprocess::Filter::kBicubic}};
}

constexpr mbconv::Member google(const char* name, const char* twin, const Depths& depths,
                                int64_t width, int32_t resize, int32_t crop) {
  mbconv::Member member = torch(name, twin, depths, width, resize, crop);
  member.eps = 1e-3f;
  member.same_padding = true;
  member.main = &kTimm;
  member.other = &kTorch;
  member.sources = {&kTimm};
  member.is_default = false;
  return member;
}

constexpr std::array<mbconv::Member, 10> kMembers = {{
    torch("efficientnet_b0", "tf_efficientnet_b0", kB0, 0, 256, 224),
    torch("efficientnet_b1", "tf_efficientnet_b1", kB1, 40, 256, 240),
    torch("efficientnet_b2", "tf_efficientnet_b2", kB1, 48, 288, 288),
    torch("efficientnet_b3", "tf_efficientnet_b3", kB3, 0, 320, 300),
    torch("efficientnet_b4", "tf_efficientnet_b4", kB4, 0, 384, 380),
    google("tf_efficientnet_b0", "efficientnet_b0", kB0, 0, 256, 224),
    google("tf_efficientnet_b1", "efficientnet_b1", kB1, 40, 272, 240),
    google("tf_efficientnet_b2", "efficientnet_b2", kB1, 48, 292, 260),
    google("tf_efficientnet_b3", "efficientnet_b3", kB3, 0, 331, 300),
    google("tf_efficientnet_b4", "efficientnet_b4", kB4, 0, 412, 380),
}};

}  // namespace

std::span<const Architecture> efficientnets() {
  static constexpr auto kAll = architectures_of<kMembers, mbconv::looks_like, mbconv::build>();
  return kAll;
}

}  // namespace penult::converters
