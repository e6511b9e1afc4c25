// MobileNetV2 (Sandler et al. 2018): torchvision's `mobilenet_v2` and timm's `mobilenetv2_*`, of
// which 110d and 120d are deeper. Three numberings of the same tensors are read: torchvision's
// (features.2.conv.0.0.weight), the older one of the default weights, which counts a block's layers
// through (features.2.conv.0 convolution, .1 batchnorm, .3 depthwise, .4 batchnorm, .6 projection,
// .7 batchnorm), and timm's. Widths come from the shapes.

#include "converters/architectures/architectures.h"
#include "converters/architectures/mbconv.h"
#include "converters/architectures/members.h"

namespace penult::converters {
namespace {

using mbconv::Scheme;

std::string torch_block(int, int, int flat) { return "features." + std::to_string(flat + 1); }

// FX nodes, and the module paths inside its Conv2dNormActivation leaves.
constexpr Scheme kTorch = {
    .outer = {"features.0.0", "features.0.1", "features.0 features.0.2", "features.18.0",
              "features.18.1", "features.18 features.18.2",
              "adaptive_avg_pool2d !flatten classifier.0", nullptr, nullptr, "classifier.1"},
    .plain = {nullptr, nullptr, nullptr, "conv.0.0", "conv.0.1", "conv.0 conv.0.2", nullptr,
              nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, "conv.1", "conv.2", nullptr,
              "add"},
    .expanding = {"conv.0.0", "conv.0.1", "conv.0 conv.0.2", "conv.1.0", "conv.1.1",
                  "conv.1 conv.1.2", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                  "conv.2", "conv.3", nullptr, "add"},
    .block = torch_block,
    .stage = nullptr,
    .ends_are_blocks = true,
};

constexpr Scheme kOlder = {
    .outer = {"features.0.0", "features.0.1", nullptr, "features.18.0", "features.18.1", nullptr,
              nullptr, nullptr, nullptr, "classifier.1"},
    .plain = {nullptr, nullptr, nullptr, "conv.0", "conv.1", nullptr, nullptr, nullptr, nullptr,
              nullptr, nullptr, nullptr, nullptr, "conv.3", "conv.4", nullptr, nullptr},
    .expanding = {"conv.0", "conv.1", nullptr, "conv.3", "conv.4", nullptr, nullptr, nullptr,
                  nullptr, nullptr, nullptr, nullptr, nullptr, "conv.6", "conv.7", nullptr,
                  nullptr},
    .block = torch_block,
    .stage = nullptr,
    .ends_are_blocks = true,
};

constexpr mbconv::Stage kStages[] = {{3, 1}, {3, 2}, {3, 2}, {3, 2}, {3, 1}, {3, 2}, {3, 1}};
constexpr mbconv::Family kFamily = {
    .stages = kStages, .ends = &kRelu6, .reduce = nullptr, .gate = nullptr};

constexpr float kEps = 1e-5f;
constexpr std::array<int, 7> kDepths = {1, 2, 3, 4, 3, 3, 1};
constexpr Preprocess kBicubic = {.filter = Preprocess::Filter::kBicubic};

constexpr mbconv::Member timm(const char* name, const std::array<int, 7>& depths, int64_t width,
                              const Scheme* torch) {
  return {.name = name,
          .family = &kFamily,
          .depths = depths,
          .width = width,
          .eps = kEps,
          .same_padding = false,
          .main = &mbconv::kTimm,
          .other = torch,
          .sources = {&mbconv::kTimm},
          .preprocess = kBicubic};
}

constexpr std::array<mbconv::Member, 6> kMembers = {{
    {.name = "mobilenet_v2",
     .family = &kFamily,
     .depths = kDepths,
     .width = 0,
     .eps = kEps,
     .same_padding = false,
     .main = &kTorch,
     .other = &mbconv::kTimm,
     .sources = {&kTorch, &kOlder}},
    timm("mobilenetv2_050", kDepths, 16, &kTorch),
    timm("mobilenetv2_100", kDepths, 32, &kTorch),
    timm("mobilenetv2_140", kDepths, 48, &kTorch),
    timm("mobilenetv2_110d", {1, 3, 4, 5, 4, 4, 1}, 0, nullptr),
    timm("mobilenetv2_120d", {1, 3, 5, 6, 5, 5, 1}, 0, nullptr),
}};

}  // namespace

std::span<const Architecture> mobilenet_v2() {
  static constexpr auto kAll = architectures_of<kMembers, mbconv::looks_like, mbconv::build>();
  return kAll;
}

}  // namespace penult::converters
