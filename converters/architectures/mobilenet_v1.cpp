// MobileNetV1 (Howard et al. 2017), timm's `mobilenetv1_100`: symmetric padding, ReLU6, no
// residuals. Tap names: timm's. A timm batchnorm contains its activation: `bn1` is the activated
// value, `bn1.drop` the one before. Widths come from the shapes.

#include <array>

#include "converters/architectures/architectures.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-5f;

// Blocks of each stage; the first one of every stage but blocks.0 has stride 2.
constexpr std::array<int, 5> kStages = {1, 2, 2, 6, 2};

std::string stage_name(int stage) { return "blocks." + std::to_string(stage); }

std::string block_name(int stage, int index) {
  return stage_name(stage) + "." + std::to_string(index);
}

// Convolution, and batchnorm with ReLU6 inside.
ValueId conv_norm_act(NetBuilder& net, const std::string& conv, const std::string& norm, ValueId x,
                      const ConvSpec& spec) {
  x = net.batchnorm({norm + ".drop", norm}, net.conv({conv, conv}, x, spec), kEps);
  x = net.activation(kRelu6, norm, x);
  net.alias(norm + ".act");
  return x;
}

ValueId block(NetBuilder& net, const std::string& name, ValueId x, int64_t stride) {
  x = conv_norm_act(net, name + ".conv_dw", name + ".bn1", x,
                    {.kernel = 3, .stride = stride, .padding = 1, .depthwise = true});
  net.alias(name + ".aa");  // identities of timm's block
  net.alias(name + ".se");
  return conv_norm_act(net, name + ".conv_pw", name + ".bn2", x, {});
}

bool recognises(const StateDict& weights) {
  for (int stage = 0; stage < static_cast<int>(kStages.size()); ++stage) {
    const int depth = kStages[static_cast<size_t>(stage)];
    const std::string last = block_name(stage, depth - 1), beyond = block_name(stage, depth);
    // Blocks with an expansion have a conv_pwl as well: EfficientNets, MobileNetV2 and V3 of timm.
    if (!find(weights, last + ".conv_pw.weight") || find(weights, last + ".conv_pwl.weight") ||
        find(weights, beyond + ".conv_pw.weight")) {
      return false;
    }
  }
  return has_shape(weights, "conv_stem.weight", {-1, 3, 3, 3});
}

// timm's mobilenetv1_100.ra4_e3600_r224_in1k: bicubic, crop_pct 0.875.
Preprocess preprocess() {
  Preprocess p;
  p.filter = Preprocess::Filter::kBicubic;
  p.mean = {0.5f, 0.5f, 0.5f};
  p.std = {0.5f, 0.5f, 0.5f};
  return p;
}

Result<ModelData> build(StateDict&& weights) {
  NetBuilder net(std::move(weights));
  ValueId x =
      conv_norm_act(net, "conv_stem", "bn1", net.input(), {.kernel = 3, .stride = 2, .padding = 1});
  for (int stage = 0; stage < static_cast<int>(kStages.size()); ++stage) {
    for (int i = 0; i < kStages[static_cast<size_t>(stage)]; ++i) {
      const std::string name = block_name(stage, i);
      x = block(net, name, x, stage > 0 && i == 0 ? 2 : 1);
      net.add_to_group("blocks", name);
    }
  }
  net.alias("conv_head");  // identities of timm's network
  net.alias("bn2");
  x = net.global_avg_pool("global_pool.pool", x);
  net.alias("global_pool.flatten");
  net.alias("penultimate");
  if (net.continues("classifier", x)) net.linear({"classifier", "classifier"}, x);
  net.name_stages({"blocks.0", "blocks.1", "blocks.2", "blocks.3", "blocks.4"});
  return net.finish("mobilenetv1_100", preprocess());
}

}  // namespace

std::span<const Architecture> mobilenet_v1() {
  static constexpr Architecture kOnly[] = {{"mobilenetv1_100", recognises, build}};
  return kOnly;
}

}  // namespace penult::converters
