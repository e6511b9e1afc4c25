// SqueezeNet (Iandola et al. 2016), torchvision's `squeezenet1_0` and `squeezenet1_1`: fire modules
// (1x1 to few channels, then 1x1 and 3x3 side by side), no batchnorm, and a classifier that is a
// convolution before the pooling. Tap names: torchvision's FX nodes. Widths come from the shapes.

#include <algorithm>

#include "converters/architectures/architectures.h"
#include "converters/architectures/members.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr int kLayers = 13;  // features.0 to features.12

struct Member {
  const char* name;
  int64_t kernel;            // of features.0
  std::array<int, 3> pools;  // which features pool; behind features.1 all others are fire modules
};

constexpr std::array<Member, 2> kMembers = {{
    {"squeezenet1_0", 7, {2, 6, 11}},
    {"squeezenet1_1", 3, {2, 5, 8}},
}};

std::string feature(int index) { return "features." + std::to_string(index); }

bool pools_at(const Member& member, int index) {
  return std::find(member.pools.begin(), member.pools.end(), index) != member.pools.end();
}

bool looks_like(const Member& member, const StateDict& weights) {
  for (int i = 2; i < kLayers; ++i) {
    const bool fire = find(weights, feature(i) + ".expand1x1.weight") != nullptr;
    if (fire == pools_at(member, i)) return false;
  }
  return has_shape(weights, "features.0.weight", {-1, 3, member.kernel, member.kernel});
}

// The sides keep their names apart: FX calls the activation of `squeeze` `squeeze_activation`.
ValueId conv_relu(NetBuilder& net, const std::string& name, ValueId x, const ConvSpec& spec) {
  return net.activation(kRelu, name + "_activation", net.conv(name, x, spec));
}

ValueId fire(NetBuilder& net, const std::string& name, ValueId x) {
  x = conv_relu(net, name + ".squeeze", x, {});
  const ValueId small = conv_relu(net, name + ".expand1x1", x, {});
  const ValueId large = conv_relu(net, name + ".expand3x3", x, {.kernel = 3, .padding = 1});
  return net.concat_channels(name + ".cat", {small, large});
}

Result<ModelData> build(const Member& member, StateDict&& weights) {
  NetBuilder net(std::move(weights));
  ValueId x = net.conv("features.0", net.input(), {.kernel = member.kernel, .stride = 2});
  x = net.activation(kRelu, "features.1", x);
  std::vector<std::string> scales = {"features.1"};
  for (int i = 2; i < kLayers; ++i) {
    if (pools_at(member, i)) {
      if (i > 2) scales.push_back(net.last_tap());
      x = net.max_pool(feature(i), x, {.kernel = 3, .stride = 2, .ceil = true});
    } else {
      x = fire(net, feature(i), x);
      net.add_to_group("blocks", feature(i));
    }
  }
  scales.push_back(net.last_tap());
  net.alias("classifier.0");  // dropout
  net.alias("penultimate");   // a map: what the last convolution reads
  if (net.continues("classifier.1", x)) {
    x = net.activation(kRelu, "classifier.2", net.conv("classifier.1", x, {}));
    net.global_avg_pool({"classifier.3", "", {"flatten"}}, x);
  }
  net.name_stages(scales);
  return net.finish(member.name, {});
}

}  // namespace

std::span<const Architecture> squeezenets() {
  static constexpr auto kAll = architectures_of<kMembers, looks_like, build>();
  return kAll;
}

}  // namespace penult::converters
