// MnasNet (Tan et al. 2018), torchvision's `mnasnet0_5` to `mnasnet1_3` and timm's `mnasnet_100`:
// ReLU, kernels of 3 and 5. torchvision counts stem, first block and head through (layers.0 to
// layers.7, layers.14 to layers.16). Widths come from the shapes.

#include "converters/architectures/architectures.h"
#include "converters/architectures/mbconv.h"
#include "converters/architectures/members.h"

namespace penult::converters {
namespace {

using mbconv::kTimm;

std::string torch_stage(int stage) {
  return stage == 0 ? "" : "layers." + std::to_string(7 + stage);
}

// The first stage's only block has no module of its own; no tensor is called as a second one.
std::string torch_block(int stage, int index, int) {
  if (stage == 0) return index == 0 ? "layers" : "layers.none";
  return torch_stage(stage) + "." + std::to_string(index);
}

constexpr mbconv::Scheme kTorch = {
    .outer = {"layers.0", "layers.1", "layers.2", "layers.14", "layers.15", "layers.16",
              "mean classifier.0", nullptr, nullptr, "classifier.1"},
    .plain = {nullptr, nullptr, nullptr, "3", "4", "5", nullptr, nullptr, nullptr, nullptr, nullptr,
              nullptr, nullptr, "6", "7", nullptr, nullptr},
    .expanding = {"layers.0", "layers.1", "layers.2", "layers.3", "layers.4", "layers.5", nullptr,
                  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr, "layers.6", "layers.7",
                  nullptr, "add"},
    .block = torch_block,
    .stage = torch_stage,
    .ends_are_blocks = true,
};

constexpr bool kNoSe = false;
constexpr mbconv::Stage kStages[] = {
    {3, 1, kNoSe, &kRelu}, {3, 2, kNoSe, &kRelu}, {5, 2, kNoSe, &kRelu}, {5, 2, kNoSe, &kRelu},
    {3, 1, kNoSe, &kRelu}, {5, 2, kNoSe, &kRelu}, {3, 1, kNoSe, &kRelu}};
constexpr mbconv::Family kFamily = {
    .stages = kStages, .ends = &kRelu, .reduce = nullptr, .gate = nullptr};

constexpr mbconv::Member torch(const char* name, int64_t width, int32_t resize) {
  return {.name = name,
          .family = &kFamily,
          .depths = {1, 3, 3, 3, 2, 4, 1},
          .width = width,
          .eps = 1e-5f,
          .same_padding = false,
          .main = &kTorch,
          .other = &kTimm,
          .sources = {&kTorch},
          .preprocess = {.resize = resize}};
}

constexpr mbconv::Member timm(const char* name, int64_t width) {
  mbconv::Member member = torch(name, width, 256);
  member.main = &kTimm;
  member.other = &kTorch;
  member.sources = {&kTimm};
  member.preprocess.filter = Preprocess::Filter::kBicubic;
  return member;
}

// In the default weights of mnasnet0_75 and mnasnet1_3 the short side is 232.
constexpr std::array<mbconv::Member, 5> kMembers = {{
    torch("mnasnet0_5", 24, 256),
    torch("mnasnet0_75", 32, 232),
    torch("mnasnet1_0", 40, 256),
    torch("mnasnet1_3", 56, 232),
    timm("mnasnet_100", 0),
}};

}  // namespace

std::span<const Architecture> mnasnets() {
  static constexpr auto kAll = architectures_of<kMembers, mbconv::looks_like, mbconv::build>();
  return kAll;
}

}  // namespace penult::converters
