// BagNet (Brendel and Bethge 2019), the authors' `bagnet9`, `bagnet17` and `bagnet33`: a ResNet-50
// whose convolutions pad nothing and are mostly 1x1, so that a feature sees 9, 17 or 33 pixels.
// Where a 3x3 convolution makes a block's map smaller, the shortcut loses its last rows and
// columns. Tap names: the authors' module paths in the manner of torchvision's FX nodes (`relu_1`,
// `add`), which this network has none of: FX cannot trace its comparison of sizes. `crop` is the
// shortened shortcut. Widths come from the shapes.

#include <array>

#include "converters/architectures/architectures.h"
#include "converters/architectures/members.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-5f;
constexpr int64_t kExpansion = 4;
constexpr std::array<int, 4> kDepths = {3, 4, 6, 3};
constexpr std::array<int64_t, 4> kStrides = {2, 2, 2, 1};  // of each layer's first block

struct Member {
  const char* name;
  std::array<int64_t, 4> kernels;  // of conv2 in each layer's first block; 1 in all others
};

constexpr std::array<Member, 3> kMembers = {{
    {"bagnet9", {3, 3, 1, 1}},
    {"bagnet17", {3, 3, 3, 1}},
    {"bagnet33", {3, 3, 3, 3}},
}};

std::string block_name(int layer, int index) {
  return "layer" + std::to_string(layer + 1) + "." + std::to_string(index);
}

ValueId conv_norm(NetBuilder& net, const std::string& conv, const std::string& norm, ValueId x,
                  const ConvSpec& spec) {
  return net.batchnorm({norm, norm}, net.conv({conv, conv}, x, spec), kEps);
}

// How many rows the map loses to a kernel without padding: floor((h - 1) / stride) less
// floor((h - kernel) / stride), whatever h, if the stride divides kernel - 1.
int64_t lost_rows(int64_t kernel, int64_t stride) { return (kernel - 1) / stride; }

ValueId block(NetBuilder& net, const std::string& name, ValueId x, int64_t kernel, int64_t stride) {
  const std::string first = name + ".downsample.0", second = name + ".downsample.1";
  const bool projects = net.projects(first, x);
  const int64_t width = projects ? 0 : net.channels(x) / kExpansion;
  ValueId y = conv_norm(net, name + ".conv1", name + ".bn1", x, {.channels = width});
  y = net.activation(kRelu, name + ".relu", y);
  y = conv_norm(net, name + ".conv2", name + ".bn2", y,
                {.kernel = kernel, .stride = stride, .channels = net.channels(y)});
  y = net.activation(kRelu, name + ".relu_1", y);
  y = conv_norm(net, name + ".conv3", name + ".bn3", y, {.channels = net.channels(y) * kExpansion});
  if (projects) {
    x = conv_norm(net, first, second, x, {.stride = stride, .channels = net.channels(y)});
  }
  if (kernel > 1) x = net.crop(name + ".crop", x, lost_rows(kernel, stride));
  return net.activation(kRelu, name + ".relu_2", net.add(name + ".add", y, x));
}

bool looks_like(const Member& member, const StateDict& weights) {
  if (!has_shape(weights, "conv1.weight", {-1, 3, 1, 1}) ||
      !has_shape(weights, "conv2.weight", {-1, -1, 3, 3})) {
    return false;
  }
  for (int layer = 0; layer < 4; ++layer) {
    const int64_t kernel = member.kernels[static_cast<size_t>(layer)];
    const std::string conv = block_name(layer, 0) + ".conv2.weight";
    if (!has_shape(weights, conv, {-1, -1, kernel, kernel})) return false;
  }
  return true;
}

Result<ModelData> build_member(const Member& member, StateDict&& weights) {
  NetBuilder net(std::move(weights));
  ValueId x = net.conv({"conv1", "conv1"}, net.input(), {});
  x = conv_norm(net, "conv2", "bn1", x, {.kernel = 3});
  x = net.activation(kRelu, "relu", x);
  for (size_t layer = 0; layer < kDepths.size(); ++layer) {
    for (int i = 0; i < kDepths[layer]; ++i) {
      const std::string name = block_name(static_cast<int>(layer), i);
      x = block(net, name, x, i == 0 ? member.kernels[layer] : 1, i == 0 ? kStrides[layer] : 1);
      net.add_to_group("blocks", name);
    }
  }
  x = net.global_avg_pool("avgpool", x);
  net.alias("flatten");
  net.alias("penultimate");
  if (net.continues("fc", x)) net.linear({"fc", "fc"}, x);
  net.name_stages({"relu", "layer1", "layer2", "layer3", "layer4"});
  return net.finish(member.name, {});
}

}  // namespace

std::span<const Architecture> bagnets() {
  static constexpr auto kAll = architectures_of<kMembers, looks_like, build_member>();
  return kAll;
}

}  // namespace penult::converters
