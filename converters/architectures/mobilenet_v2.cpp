// MobileNetV2 (Sandler et al. 2018), torchvision's `mobilenet_v2`. Tap names: torchvision's FX
// nodes, and the module paths inside its Conv2dNormActivation leaves.
//
// Two numberings of the same tensors are read: torchvision's (features.2.conv.0.0.weight) and the
// older one of the default weights, which counts a block's layers through (features.2.conv.0
// convolution, .1 batchnorm, .3 depthwise, .4 batchnorm, .6 projection, .7 batchnorm). Widths come
// from the shapes.

#include <array>

#include "converters/architectures/architectures.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-5f;

// The stride of each block features.1 .. features.17; the widths are in the file.
constexpr std::array<int64_t, 17> kStrides = {1, 2, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1};
constexpr int kLastBlock = static_cast<int>(kStrides.size());
std::string block_name(int index) { return "features." + std::to_string(index); }

// Convolution, batchnorm, ReLU6: an FX leaf called `tap`.
ValueId conv_norm_act(NetBuilder& net, const std::string& tap, const std::string& conv_key,
                      const std::string& norm_key, ValueId x, const ConvSpec& spec) {
  x = net.conv({tap + ".0", conv_key}, x, spec);
  x = net.batchnorm({tap + ".1", norm_key}, x, kEps);
  x = net.activation(kRelu6, tap, x);
  net.alias(tap + ".2");
  return x;
}

ValueId block(NetBuilder& net, int index, ValueId x, bool torchvision) {
  const std::string conv = block_name(index) + ".conv.";
  const int64_t stride = kStrides[static_cast<size_t>(index) - 1];
  const ValueId shortcut = x;
  int layer = 0, flat = 0;  // positions in torchvision's and in the older numbering
  const auto next = [&](ValueId input, const ConvSpec& spec) {
    const std::string tap = conv + std::to_string(layer++);
    const std::string first = torchvision ? tap + ".0" : conv + std::to_string(flat);
    const std::string second = torchvision ? tap + ".1" : conv + std::to_string(flat + 1);
    flat += 3;
    return conv_norm_act(net, tap, first, second, input, spec);
  };
  if (index > 1) x = next(x, {});  // expansion; the first block has none
  x = next(x, {.kernel = 3, .stride = stride, .padding = 1, .depthwise = true});
  const std::string project = conv + std::to_string(layer), norm = conv + std::to_string(layer + 1);
  x = net.conv({project, torchvision ? project : conv + std::to_string(flat)}, x, {});
  x = net.batchnorm({norm, torchvision ? norm : conv + std::to_string(flat + 1)}, x, kEps);
  if (stride == 1 && net.channels(x) == net.channels(shortcut)) {
    x = net.add(block_name(index) + ".add", shortcut, x);
  }
  return x;
}

void name_places(NetBuilder& net) {
  // timm's feature strides 2, 4, 8, 16, 32
  net.name_stages({"features.1", "features.3", "features.6", "features.13", "features.17"});
  for (int i = 0; i <= kLastBlock + 1; ++i) net.add_to_group("blocks", block_name(i));
}

bool recognises(const StateDict& weights) {
  return find(weights, "features.0.0.weight") && find(weights, "features.18.0.weight") &&
         (find(weights, "features.17.conv.2.weight") ||
          find(weights, "features.17.conv.6.weight")) &&
         find(weights, "features.17.conv.3.weight");
}

Result<ModelData> build(StateDict&& weights) {
  const bool torchvision = find(weights, "features.1.conv.0.0.weight") != nullptr;
  NetBuilder net(std::move(weights));
  ValueId x = conv_norm_act(net, "features.0", "features.0.0", "features.0.1", net.input(),
                            {.kernel = 3, .stride = 2, .padding = 1});
  for (int i = 1; i <= kLastBlock; ++i) x = block(net, i, x, torchvision);
  x = conv_norm_act(net, "features.18", "features.18.0", "features.18.1", x, {});
  x = net.global_avg_pool("adaptive_avg_pool2d", x);
  // Flattening a vector and dropout at inference change nothing: other names of the same place.
  net.alias("flatten");
  net.alias("classifier.0");
  net.alias("penultimate");
  if (net.has("classifier.1.weight")) net.linear({"classifier.1", "classifier.1"}, x);
  name_places(net);
  return net.finish("mobilenet_v2", {});
}

}  // namespace

std::span<const Architecture> mobilenet_v2() {
  static constexpr Architecture kOnly[] = {{"mobilenet_v2", recognises, build}};
  return kOnly;
}

}  // namespace penult::converters
