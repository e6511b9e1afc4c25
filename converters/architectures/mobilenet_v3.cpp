// MobileNetV3 (Howard et al. 2019), torchvision's `mobilenet_v3_large` and `mobilenet_v3_small`:
// squeeze-and-excitation with a hard sigmoid, hard-swish, batchnorm eps 1e-3. Tap names:
// torchvision's FX nodes, and the module paths inside its leaves (Conv2dNormActivation,
// SqueezeExcitation). Widths come from the shapes.

#include <array>
#include <span>

#include "converters/architectures/architectures.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-3f;

struct BlockSpec {
  int64_t kernel;  // of the depthwise convolution
  int64_t stride;
  bool excites;           // squeeze-and-excitation
  const OpDef* function;  // behind expansion and depthwise convolution
};

constexpr bool kSe = true, kPlain = false;

constexpr std::array<BlockSpec, 15> kLarge = {{
    {3, 1, kPlain, &kRelu},
    {3, 2, kPlain, &kRelu},
    {3, 1, kPlain, &kRelu},
    {5, 2, kSe, &kRelu},
    {5, 1, kSe, &kRelu},
    {5, 1, kSe, &kRelu},
    {3, 2, kPlain, &kHardSwish},
    {3, 1, kPlain, &kHardSwish},
    {3, 1, kPlain, &kHardSwish},
    {3, 1, kPlain, &kHardSwish},
    {3, 1, kSe, &kHardSwish},
    {3, 1, kSe, &kHardSwish},
    {5, 2, kSe, &kHardSwish},
    {5, 1, kSe, &kHardSwish},
    {5, 1, kSe, &kHardSwish},
}};

constexpr std::array<BlockSpec, 11> kSmall = {{
    {3, 2, kSe, &kRelu},
    {3, 2, kPlain, &kRelu},
    {3, 1, kPlain, &kRelu},
    {5, 2, kSe, &kHardSwish},
    {5, 1, kSe, &kHardSwish},
    {5, 1, kSe, &kHardSwish},
    {5, 1, kSe, &kHardSwish},
    {5, 1, kSe, &kHardSwish},
    {5, 2, kSe, &kHardSwish},
    {5, 1, kSe, &kHardSwish},
    {5, 1, kSe, &kHardSwish},
}};

struct Member {
  const char* name;
  std::span<const BlockSpec> blocks;  // features.1, features.2, ...
  std::array<int, 5> stage_ends;      // timm's feature strides 2, 4, 8, 16, 32
};

constexpr Member kLargeNet = {"mobilenet_v3_large", kLarge, {1, 3, 6, 12, 16}};
constexpr Member kSmallNet = {"mobilenet_v3_small", kSmall, {0, 1, 3, 8, 12}};

std::string feature_name(int index) { return "features." + std::to_string(index); }

// Convolution, batchnorm and, unless null, an activation: the FX leaf `name`.
ValueId conv_norm_act(NetBuilder& net, const std::string& name, ValueId x, const ConvSpec& spec,
                      const OpDef* function) {
  const std::string norm = name + ".1";
  x = net.conv({name + ".0", name + ".0"}, x, spec);
  if (function == nullptr) {
    x = net.batchnorm({name, norm}, x, kEps);
    net.alias(norm);
    return x;
  }
  x = net.activation(*function, name, net.batchnorm({norm, norm}, x, kEps));
  net.alias(name + ".2");
  return x;
}

// The FX leaf `name`: scales each channel by what a small network makes of all their means.
ValueId squeeze_excite(NetBuilder& net, const std::string& name, ValueId x) {
  ValueId scale = net.global_avg_pool(name + ".avgpool", x);
  scale = net.conv_of_pixel({name + ".fc1", name + ".fc1"}, scale);
  scale = net.activation(kRelu, name + ".activation", scale);
  scale = net.conv_of_pixel({name + ".fc2", name + ".fc2"}, scale);
  scale = net.activation(kHardSigmoid, name + ".scale_activation", scale);
  return net.scale_channels(name, x, scale);
}

ValueId block(NetBuilder& net, int index, const BlockSpec& spec, ValueId x) {
  const std::string layers = feature_name(index) + ".block.";
  const ValueId shortcut = x;
  int layer = 0;
  const auto next = [&] { return layers + std::to_string(layer++); };
  if (index > 1) x = conv_norm_act(net, next(), x, {}, spec.function);  // the first one has none
  x = conv_norm_act(
      net, next(), x,
      {.kernel = spec.kernel, .stride = spec.stride, .padding = spec.kernel / 2, .depthwise = true},
      spec.function);
  if (spec.excites) x = squeeze_excite(net, next(), x);
  x = conv_norm_act(net, next(), x, {}, nullptr);
  if (spec.stride == 1 && net.channels(x) == net.channels(shortcut)) {
    x = net.add(feature_name(index) + ".add", x, shortcut);
  }
  return x;
}

void classifier(NetBuilder& net, ValueId x) {
  if (net.has("classifier.0.weight")) {
    x = net.linear({"classifier.0", "classifier.0"}, x);
    x = net.activation(kHardSwish, "classifier.1", x);
    net.alias("classifier.2");  // dropout
  }
  net.alias("penultimate");
  if (net.has("classifier.3.weight")) net.linear({"classifier.3", "classifier.3"}, x);
}

Result<ModelData> build_member(const Member& member, StateDict&& weights) {
  NetBuilder net(std::move(weights));
  const int last = static_cast<int>(member.blocks.size()) + 1;
  ValueId x = conv_norm_act(net, feature_name(0), net.input(),
                            {.kernel = 3, .stride = 2, .padding = 1}, &kHardSwish);
  for (int i = 1; i < last; ++i) x = block(net, i, member.blocks[static_cast<size_t>(i) - 1], x);
  x = conv_norm_act(net, feature_name(last), x, {}, &kHardSwish);
  for (int i = 0; i <= last; ++i) net.add_to_group("blocks", feature_name(i));
  x = net.global_avg_pool("avgpool", x);
  net.alias("flatten");  // of a vector: another name of the same place
  classifier(net, x);
  std::vector<std::string> stages;
  for (const int end : member.stage_ends) stages.push_back(feature_name(end));
  net.name_stages(stages);
  return net.finish(member.name, {});
}

bool looks_like(const Member& member, const StateDict& weights) {
  const int last = static_cast<int>(member.blocks.size()) + 1;
  return has_shape(weights, "features.0.0.weight", {-1, 3, 3, 3}) &&
         has_shape(weights, feature_name(last) + ".0.weight", {-1, -1, 1, 1}) &&
         find(weights, feature_name(last - 1) + ".block.2.fc1.weight") &&
         !find(weights, feature_name(last + 1) + ".0.weight");
}

}  // namespace

std::span<const Architecture> mobilenet_v3() {
  static constexpr Architecture kBoth[] = {
      {kLargeNet.name, [](const StateDict& weights) { return looks_like(kLargeNet, weights); },
       [](StateDict&& weights) { return build_member(kLargeNet, std::move(weights)); }},
      {kSmallNet.name, [](const StateDict& weights) { return looks_like(kSmallNet, weights); },
       [](StateDict&& weights) { return build_member(kSmallNet, std::move(weights)); }},
  };
  return kBoth;
}

}  // namespace penult::converters
