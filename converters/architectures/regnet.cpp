// RegNet X and Y (Radosavovic et al. 2020): torchvision's `regnet_x_400mf` to `regnet_y_32gf` and
// timm's `regnetx_002` to `regnety_080`. Bottlenecks of 1x1, grouped 3x3 and 1x1; Y squeezes and
// excites behind the 3x3. torchvision computes a block's projection first, timm last, and the taps
// follow. Depths tell the members apart, widths and groups come from the shapes.

#include "converters/architectures/architectures.h"
#include "converters/architectures/layer_words.h"
#include "converters/architectures/members.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-5f;

enum Layer {
  kProject,
  kProjectNorm,
  kFirst,
  kFirstNorm,
  kFirstAct,
  kMiddle,
  kMiddleNorm,
  kMiddleAct,
  kPool,
  kReduce,
  kReduceAct,
  kRaise,
  kGate,
  kScale,
  kLast,
  kLastNorm,
  kAddition,
  kOutput,
  kLayers
};

struct Scheme {
  std::array<const char*, kLayers> block;  // behind the block's name
  std::array<const char*, 5> outer;        // stem, its norm and activation, mean, classifier
  std::string (*stage_name)(int stage);
  std::string (*block_name)(int stage, int index);
  bool projects_first;
};

std::string torch_stage(int stage) { return "trunk_output.block" + std::to_string(stage + 1); }

std::string torch_block(int stage, int index) {
  return torch_stage(stage) + ".block" + std::to_string(stage + 1) + "-" + std::to_string(index);
}

std::string timm_stage(int stage) { return "s" + std::to_string(stage + 1); }

std::string timm_block(int stage, int index) {
  return timm_stage(stage) + ".b" + std::to_string(index + 1);
}

// FX nodes, and the module paths inside its leaves (Conv2dNormActivation, SqueezeExcitation).
constexpr Scheme kTorch = {
    .block = {"proj.0", "proj proj.1 =proj.1", "f.a.0", "f.a.1", "f.a f.a.2", "f.b.0", "f.b.1",
              "f.b f.b.2", "f.se.avgpool", "f.se.fc1", "f.se.activation", "f.se.fc2",
              "f.se.scale_activation", "f.se", "f.c.0", "f.c f.c.1 =f.c.1", "add", "activation"},
    .outer = {"stem.0", "stem.1", "stem stem.2", "avgpool flatten", "fc"},
    .stage_name = torch_stage,
    .block_name = torch_block,
    .projects_first = true,
};

// A timm batchnorm contains its activation: `conv1.bn` is the activated value.
constexpr Scheme kTimm = {
    .block = {"downsample.conv", "downsample.bn downsample.bn.drop downsample.bn.act", "conv1.conv",
              "conv1.bn.drop =conv1.bn", "conv1.bn conv1.bn.act", "conv2.conv",
              "conv2.bn.drop =conv2.bn", "conv2.bn conv2.bn.act", "se.mean", "se.fc1 se.bn",
              "se.act", "se.fc2", "se.gate.sigmoid se.gate", "se.mul se", "conv3.conv",
              "conv3.bn conv3.bn.drop conv3.bn.act drop_path", "add", "act3"},
    .outer = {"stem.conv", "stem.bn.drop =stem.bn", "stem.bn stem.bn.act",
              "head.global_pool.pool head.global_pool.flatten head.drop", "head.fc head.flatten"},
    .stage_name = timm_stage,
    .block_name = timm_block,
    .projects_first = false,
};

constexpr bool kX = false, kY = true;

struct Member {
  const char* name;
  bool excites;
  std::array<int, 4> depths;
  const Scheme* main = &kTorch;
  int32_t resize = 256;
};

constexpr Member timm(const char* name, bool excites, const std::array<int, 4>& depths,
                      int32_t resize) {
  return {name, excites, depths, &kTimm, resize};
}

// timm's as their default weights were evaluated, torchvision's as IMAGENET1K_V1.
constexpr std::array<Member, 32> kMembers = {{
    {"regnet_x_400mf", kX, {1, 2, 7, 12}},       {"regnet_x_800mf", kX, {1, 3, 7, 5}},
    {"regnet_x_1_6gf", kX, {2, 4, 10, 2}},       {"regnet_x_3_2gf", kX, {2, 6, 15, 2}},
    {"regnet_x_8gf", kX, {2, 5, 15, 1}},         {"regnet_x_16gf", kX, {2, 6, 13, 1}},
    {"regnet_x_32gf", kX, {2, 7, 13, 1}},        {"regnet_y_400mf", kY, {1, 3, 6, 6}},
    {"regnet_y_800mf", kY, {1, 3, 8, 2}},        {"regnet_y_1_6gf", kY, {2, 6, 17, 2}},
    {"regnet_y_3_2gf", kY, {2, 5, 13, 1}},       {"regnet_y_8gf", kY, {2, 4, 10, 1}},
    {"regnet_y_16gf", kY, {2, 4, 11, 1}},        {"regnet_y_32gf", kY, {2, 5, 12, 1}},
    timm("regnetx_002", kX, {1, 1, 4, 7}, 256),  timm("regnetx_004", kX, {1, 2, 7, 12}, 256),
    timm("regnetx_006", kX, {1, 3, 5, 7}, 256),  timm("regnetx_008", kX, {1, 3, 7, 5}, 232),
    timm("regnetx_016", kX, {2, 4, 10, 2}, 232), timm("regnetx_032", kX, {2, 6, 15, 2}, 232),
    timm("regnetx_040", kX, {2, 5, 14, 2}, 256), timm("regnetx_064", kX, {2, 4, 10, 1}, 256),
    timm("regnetx_080", kX, {2, 5, 15, 1}, 232), timm("regnety_002", kY, {1, 1, 4, 7}, 256),
    timm("regnety_004", kY, {1, 3, 6, 6}, 232),  timm("regnety_006", kY, {1, 3, 7, 4}, 256),
    timm("regnety_008", kY, {1, 3, 8, 2}, 256),  timm("regnety_016", kY, {2, 6, 17, 2}, 232),
    timm("regnety_032", kY, {2, 5, 13, 1}, 235), timm("regnety_040", kY, {2, 6, 12, 2}, 235),
    timm("regnety_064", kY, {2, 7, 14, 2}, 235), timm("regnety_080", kY, {2, 4, 10, 1}, 235),
}};

bool looks_like(const Member& member, const StateDict& weights) {
  const Scheme& scheme = *member.main;
  const auto key = [&](int stage, int index, Layer layer) {
    return parse_word(scheme.block[layer], scheme.block_name(stage, index) + ".", 0).key +
           ".weight";
  };
  for (int stage = 0; stage < 4; ++stage) {
    const int depth = member.depths[static_cast<size_t>(stage)];
    if (!has_shape(weights, key(stage, depth - 1, kMiddle), {-1, -1, 3, 3}) ||
        find(weights, key(stage, depth, kMiddle))) {
      return false;
    }
  }
  return (find(weights, key(0, 0, kReduce)) != nullptr) == member.excites;
}

class Builder {
 public:
  Builder(const Member& member, StateDict&& weights)
      : member_(member), main_(*member.main), net_(std::move(weights)) {}
  Result<ModelData> build();

 private:
  // The file's tensors are called as the main taps are.
  LayerName joined(const LayerWord& main, const LayerWord& other) const {
    return join_words(main, other, main);
  }
  const Scheme& other() const { return &main_ == &kTorch ? kTimm : kTorch; }
  LayerName layer(Layer layer) const {
    const auto word = [&](const Scheme& scheme, bool is_main) {
      return parse_word(scheme.block[layer], scheme.block_name(stage_, index_) + ".", 0, is_main);
    };
    return joined(word(main_, true), word(other(), false));
  }
  LayerName outer(size_t layer) const {
    return joined(parse_word(main_.outer[layer], "", 0),
                  parse_word(other().outer[layer], "", 0, false));
  }
  ValueId conv_norm(Layer conv, Layer norm, ValueId x, const ConvSpec& spec) {
    return net_.batchnorm(layer(norm), net_.conv(layer(conv), x, spec), kEps);
  }
  ValueId project(ValueId x, int64_t stride) {
    return conv_norm(kProject, kProjectNorm, x, {.stride = stride});
  }
  ValueId squeeze_excite(ValueId x);
  ValueId block(ValueId x);

  const Member& member_;
  const Scheme& main_;
  NetBuilder net_;
  int stage_ = 0, index_ = 0;
};

ValueId Builder::squeeze_excite(ValueId x) {
  ValueId scale = net_.global_avg_pool(layer(kPool), x);
  scale = net_.activation(kRelu, layer(kReduceAct), net_.linear(layer(kReduce), scale));
  scale = net_.activation(kSigmoid, layer(kGate), net_.linear(layer(kRaise), scale));
  return net_.scale_channels(layer(kScale), x, scale);
}

ValueId Builder::block(ValueId x) {
  const int64_t stride = index_ == 0 ? 2 : 1;
  const bool projects = index_ == 0;
  ValueId shortcut = x;
  if (projects && main_.projects_first) shortcut = project(x, stride);
  ValueId y = net_.activation(kRelu, layer(kFirstAct), conv_norm(kFirst, kFirstNorm, x, {}));
  const int64_t width = net_.channels(y);
  const ConvSpec middle = {
      .kernel = 3, .stride = stride, .padding = 1, .groups = 0, .channels = width};
  y = net_.activation(kRelu, layer(kMiddleAct), conv_norm(kMiddle, kMiddleNorm, y, middle));
  if (member_.excites) {
    y = squeeze_excite(y);
  } else {
    net_.alias(timm_block(stage_, index_) + ".se");  // an identity of timm's
  }
  y = conv_norm(kLast, kLastNorm, y, {.channels = projects ? 0 : net_.channels(x)});
  if (projects && !main_.projects_first) shortcut = project(x, stride);
  // timm's FX nodes and torchvision's sum the two the other way round; the bits are the same.
  y = net_.add(layer(kAddition), shortcut, y);
  return net_.activation(kRelu, layer(kOutput), y);
}

Result<ModelData> Builder::build() {
  ValueId x = net_.conv(outer(0), net_.input(), {.kernel = 3, .stride = 2, .padding = 1});
  x = net_.activation(kRelu, outer(2), net_.batchnorm(outer(1), x, kEps));
  std::vector<std::string> scales = {net_.last_tap()};
  for (stage_ = 0; stage_ < 4; ++stage_) {
    for (index_ = 0; index_ < member_.depths[static_cast<size_t>(stage_)]; ++index_) {
      x = block(x);
      net_.add_to_group("blocks", net_.last_tap());
      net_.alias(other().block_name(stage_, index_));
    }
    net_.alias(other().stage_name(stage_));
    scales.push_back(net_.last_tap());
  }
  net_.alias("final_conv");  // another one
  x = net_.global_avg_pool(outer(3), x);
  net_.alias("penultimate");
  if (net_.continues(outer(4).key, x)) net_.linear(outer(4), x);
  net_.name_stages(scales);
  Preprocess preprocess = {.resize = member_.resize};
  if (&main_ == &kTimm) preprocess.filter = Preprocess::Filter::kBicubic;
  return net_.finish(member_.name, preprocess);
}

Result<ModelData> build(const Member& member, StateDict&& weights) {
  return Builder(member, std::move(weights)).build();
}

}  // namespace

std::span<const Architecture> regnets() {
  static constexpr auto kAll = architectures_of<kMembers, looks_like, build>();
  return kAll;
}

}  // namespace penult::converters
