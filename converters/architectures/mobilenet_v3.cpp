// MobileNetV3 (Howard et al. 2019): torchvision's `mobilenet_v3_large` and `mobilenet_v3_small`,
// and timm's own and TensorFlow's variants of them, which differ in padding and in batchnorm's eps.
// Squeeze-and-excitation with a hard sigmoid, hard-swish, a hidden layer before the classifier.
// Widths come from the shapes.

#include "converters/architectures/architectures.h"
#include "converters/architectures/mbconv.h"
#include "converters/architectures/members.h"

namespace penult::converters {
namespace {

using mbconv::Scheme;
using Words = std::array<const char*, mbconv::kOuterLayers>;

std::string torch_block(int, int, int flat) { return "features." + std::to_string(flat + 1); }

// FX nodes, and the module paths inside its leaves (Conv2dNormActivation, SqueezeExcitation).
constexpr mbconv::BlockWords kPlain = {nullptr,
                                       nullptr,
                                       nullptr,
                                       "block.0.0",
                                       "block.0.1",
                                       "block.0 block.0.2",
                                       nullptr,
                                       "block.1.avgpool",
                                       "block.1.fc1",
                                       "block.1.activation",
                                       "block.1.fc2",
                                       "block.1.scale_activation",
                                       "block.1",
                                       "block.#.0",
                                       "block.# block.#.1 =block.#.1",
                                       nullptr,
                                       "add"};
constexpr mbconv::BlockWords kExpanding = {"block.0.0",
                                           "block.0.1",
                                           "block.0 block.0.2",
                                           "block.1.0",
                                           "block.1.1",
                                           "block.1 block.1.2",
                                           nullptr,
                                           "block.2.avgpool",
                                           "block.2.fc1",
                                           "block.2.activation",
                                           "block.2.fc2",
                                           "block.2.scale_activation",
                                           "block.2",
                                           "block.#.0",
                                           "block.# block.#.1 =block.#.1",
                                           nullptr,
                                           "add"};

constexpr Scheme torch_scheme(const char* head, const char* norm, const char* act) {
  return {
      .outer = {"features.0.0", "features.0.1", "features.0 features.0.2", head, norm, act,
                "avgpool !flatten", "classifier.0", "classifier.1 classifier.2", "classifier.3"},
      .plain = kPlain,
      .expanding = kExpanding,
      .block = torch_block,
      .stage = nullptr,
      .ends_are_blocks = true};
}
constexpr Scheme kTorchLarge =
    torch_scheme("features.16.0", "features.16.1", "features.16 features.16.2");
constexpr Scheme kTorchSmall =
    torch_scheme("features.12.0", "features.12.1", "features.12 features.12.2");

constexpr bool kSe = true, kNoSe = false;
constexpr mbconv::Stage kLargeStages[] = {{3, 1, kNoSe, &kRelu},    {3, 2, kNoSe, &kRelu},
                                          {5, 2, kSe, &kRelu},      {3, 2, kNoSe, &kHardSwish},
                                          {3, 1, kSe, &kHardSwish}, {5, 2, kSe, &kHardSwish}};
constexpr mbconv::Stage kSmallStages[] = {{3, 2, kSe, &kRelu},
                                          {3, 2, kNoSe, &kRelu},
                                          {5, 2, kSe, &kHardSwish},
                                          {5, 1, kSe, &kHardSwish},
                                          {5, 2, kSe, &kHardSwish}};

constexpr mbconv::Family family(std::span<const mbconv::Stage> stages) {
  return {.stages = stages,
          .ends = &kHardSwish,
          .reduce = &kRelu,
          .gate = &kHardSigmoid,
          .hidden = true,
          .head_scales = true};
}
constexpr mbconv::Family kLarge = family(kLargeStages), kSmall = family(kSmallStages);

constexpr std::array<int, 7> kLargeDepths = {1, 2, 3, 4, 2, 3}, kSmallDepths = {1, 2, 3, 2, 3};

constexpr mbconv::Member torch(const char* name, const mbconv::Family* family,
                               const std::array<int, 7>& depths, const Scheme* scheme) {
  return {.name = name,
          .family = family,
          .depths = depths,
          .width = 0,
          .eps = 1e-3f,
          .same_padding = false,
          .main = scheme,
          .other = &mbconv::kTimmV3,
          .sources = {scheme}};
}

constexpr mbconv::Member timm(const char* name, bool large, int64_t width, const char* twin) {
  return {.name = name,
          .family = large ? &kLarge : &kSmall,
          .depths = large ? kLargeDepths : kSmallDepths,
          .width = width,
          .eps = 1e-5f,
          .same_padding = false,
          .main = &mbconv::kTimmV3,
          .other = large ? &kTorchLarge : &kTorchSmall,
          .sources = {&mbconv::kTimmV3},
          .twin = twin,
          .preprocess = {.filter = Preprocess::Filter::kBicubic}};
}

// Trained in TensorFlow.
constexpr mbconv::Member google(const char* name, bool large, int64_t width, const char* twin) {
  mbconv::Member member = timm(name, large, width, twin);
  member.eps = 1e-3f;
  member.same_padding = true;
  member.is_default = false;
  member.preprocess = {.mean = {0.5f, 0.5f, 0.5f}, .std = {0.5f, 0.5f, 0.5f}};
  return member;
}

constexpr std::array<mbconv::Member, 9> kMembers = {{
    torch("mobilenet_v3_large", &kLarge, kLargeDepths, &kTorchLarge),
    torch("mobilenet_v3_small", &kSmall, kSmallDepths, &kTorchSmall),
    timm("mobilenetv3_large_100", true, 0, "tf_mobilenetv3_large_100"),
    timm("mobilenetv3_small_100", false, 40, "tf_mobilenetv3_small_100"),
    timm("mobilenetv3_small_075", false, 32, "tf_mobilenetv3_small_075"),
    timm("mobilenetv3_small_050", false, 24, nullptr),
    google("tf_mobilenetv3_large_100", true, 0, "mobilenetv3_large_100"),
    google("tf_mobilenetv3_small_100", false, 40, "mobilenetv3_small_100"),
    google("tf_mobilenetv3_small_075", false, 32, "mobilenetv3_small_075"),
}};

}  // namespace

std::span<const Architecture> mobilenet_v3() {
  static constexpr auto kAll = architectures_of<kMembers, mbconv::looks_like, mbconv::build>();
  return kAll;
}

}  // namespace penult::converters
