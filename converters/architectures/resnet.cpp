// ResNet (He et al. 2015), ResNeXt (Xie et al. 2016), Wide ResNet (Zagoruyko and Komodakis 2016)
// and ResNet-D (He et al. 2018): torchvision's `resnet18` to `wide_resnet101_2`, whose tensors
// timm's equally named networks share, with torchvision's FX nodes for tap names and timm's for
// aliases; and timm's `resnet18d` to `resnet152d`, with timm's. The stride of a bottleneck stands
// on its 3x3 convolution, as in torchvision ("v1.5"). Widths come from the shapes.

#include <array>

#include "converters/architectures/architectures.h"
#include "converters/architectures/members.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-5f;

enum class Block {
  kBasic,       // 3x3, 3x3
  kBottleneck,  // 1x1, 3x3 in groups, 1x1
};

struct Member {
  const char* name;
  Block block;
  std::array<int, 4> depths;  // blocks of layer1 to layer4
  int64_t groups = 1;
  int64_t expansion = 4;  // output channels of a bottleneck for each of its 3x3 convolution
  int32_t resize = 256;   // of the eval transform of torchvision's IMAGENET1K_V1 weights
  // ResNet-D: a stem of three convolutions, and a mean before the 1x1 of a shortcut that halves.
  bool deep = false;
  int32_t crop = 224;
};

constexpr Member deep(const char* name, Block block, const std::array<int, 4>& depths,
                      int32_t resize = 256, int32_t crop = 224) {
  return {name, block, depths, 1, 4, resize, true, crop};
}

constexpr std::array<Member, 16> kMembers = {{
    {"resnet18", Block::kBasic, {2, 2, 2, 2}},
    {"resnet34", Block::kBasic, {3, 4, 6, 3}},
    {"resnet50", Block::kBottleneck, {3, 4, 6, 3}},
    {"resnet101", Block::kBottleneck, {3, 4, 23, 3}},
    {"resnet152", Block::kBottleneck, {3, 8, 36, 3}},
    {"resnext50_32x4d", Block::kBottleneck, {3, 4, 6, 3}, 32, 2},
    {"resnext101_32x8d", Block::kBottleneck, {3, 4, 23, 3}, 32, 1},
    {"resnext101_64x4d", Block::kBottleneck, {3, 4, 23, 3}, 64, 1, 232},
    {"wide_resnet50_2", Block::kBottleneck, {3, 4, 6, 3}, 1, 2},
    {"wide_resnet101_2", Block::kBottleneck, {3, 4, 23, 3}, 1, 2},
    deep("resnet18d", Block::kBasic, {2, 2, 2, 2}),
    deep("resnet26d", Block::kBottleneck, {2, 2, 2, 2}),
    deep("resnet34d", Block::kBasic, {3, 4, 6, 3}),
    deep("resnet50d", Block::kBottleneck, {3, 4, 6, 3}),
    deep("resnet101d", Block::kBottleneck, {3, 4, 23, 3}, 269, 256),
    deep("resnet152d", Block::kBottleneck, {3, 8, 36, 3}, 269, 256),
}};

std::string layer_name(int layer) { return "layer" + std::to_string(layer + 1); }

std::string block_name(int layer, int index) {
  return layer_name(layer) + "." + std::to_string(index);
}

bool has_depths(const StateDict& weights, const std::array<int, 4>& depths) {
  for (int layer = 0; layer < 4; ++layer) {
    const int depth = depths[static_cast<size_t>(layer)];
    if (!find(weights, block_name(layer, depth - 1) + ".conv1.weight") ||
        find(weights, block_name(layer, depth) + ".conv1.weight")) {
      return false;
    }
  }
  return true;
}

bool looks_like(const Member& member, const StateDict& weights) {
  const bool same_stem = member.deep ? has_shape(weights, "conv1.0.weight", {-1, 3, 3, 3}) &&
                                           has_shape(weights, "conv1.6.weight", {-1, -1, 3, 3})
                                     : has_shape(weights, "conv1.weight", {-1, 3, 7, 7});
  if (!same_stem || !has_depths(weights, member.depths)) return false;
  const NamedTensor* last = find(weights, "layer1.0.conv3.weight");
  if (member.block == Block::kBasic) return last == nullptr;
  const NamedTensor* middle = find(weights, "layer1.0.conv2.weight");
  if (last == nullptr || middle == nullptr || middle->dims.size() != 4) return false;
  const int64_t width = middle->dims[0];
  return middle->dims[1] * member.groups == width &&
         has_shape(weights, last->name, {width * member.expansion, width, 1, 1});
}

struct Names {
  std::string block;
  bool deep;  // timm's names are the main ones
  LayerName conv(int i) const { return both("conv", i); }
  LayerName norm(int i) const { return both("bn", i); }
  // FX numbers the uses of a block's one ReLU: relu, relu_1, relu_2. timm has act1, act2, act3.
  LayerName relu(int use) const {
    const std::string timm = block + ".act" + std::to_string(use + 1);
    if (deep) return timm;
    return {block + (use == 0 ? ".relu" : ".relu_" + std::to_string(use)), "", {timm}};
  }

 private:
  LayerName both(const char* kind, int i) const {
    const std::string name = block + "." + kind + std::to_string(i);
    return {name, name};
  }
};

ValueId conv_norm(NetBuilder& net, const LayerName& conv, const LayerName& norm, ValueId x,
                  const ConvSpec& spec) {
  return net.batchnorm(norm, net.conv(conv, x, spec), kEps);
}

// `width`: channels inside the block; 0 if its first tensor may choose.
ValueId basic(NetBuilder& net, const Names& names, ValueId x, int64_t stride, int64_t width) {
  x = conv_norm(net, names.conv(1), names.norm(1), x,
                {.kernel = 3, .stride = stride, .padding = 1, .channels = width});
  net.alias(names.block + ".drop_block");  // identities of timm's block
  x = net.activation(kRelu, names.relu(0), x);
  net.alias(names.block + ".aa");
  return conv_norm(net, names.conv(2), names.norm(2), x,
                   {.kernel = 3, .padding = 1, .channels = net.channels(x)});
}

ValueId bottleneck(NetBuilder& net, const Names& names, ValueId x, int64_t stride, int64_t width,
                   const Member& member) {
  x = conv_norm(net, names.conv(1), names.norm(1), x, {.channels = width});
  x = net.activation(kRelu, names.relu(0), x);
  width = net.channels(x);
  const ConvSpec middle = {
      .kernel = 3, .stride = stride, .padding = 1, .groups = member.groups, .channels = width};
  x = conv_norm(net, names.conv(2), names.norm(2), x, middle);
  net.alias(names.block + ".drop_block");  // identities of timm's block
  x = net.activation(kRelu, names.relu(1), x);
  net.alias(names.block + ".aa");
  return conv_norm(net, names.conv(3), names.norm(3), x, {.channels = width * member.expansion});
}

ValueId project(NetBuilder& net, const std::string& name, ValueId x, int64_t stride,
                int64_t channels, const Member& member) {
  if (!member.deep) {
    return conv_norm(net, name + ".downsample.0", name + ".downsample.1", x,
                     {.stride = stride, .channels = channels});
  }
  if (stride > 1) {
    const PoolSpec mean = {.kernel = 2, .stride = stride, .ceil = true, .counts_padding = false};
    x = net.avg_pool(name + ".downsample.0", x, mean);
  }
  return conv_norm(net, name + ".downsample.1", name + ".downsample.2", x, {.channels = channels});
}

ValueId block(NetBuilder& net, const std::string& name, ValueId x, int64_t stride,
              const Member& member) {
  const Names names{name, member.deep};
  const bool is_basic = member.block == Block::kBasic;
  const bool projects = net.projects(name + (member.deep ? ".downsample.1" : ".downsample.0"), x);
  // Without a projection the block's output must have the channels of its input.
  const int64_t width = projects ? 0 : net.channels(x) / (is_basic ? 1 : member.expansion);
  const ValueId y = is_basic ? basic(net, names, x, stride, width)
                             : bottleneck(net, names, x, stride, width, member);
  if (projects) x = project(net, name, x, stride, net.channels(y), member);
  return net.activation(kRelu, names.relu(is_basic ? 1 : 2), net.add(name + ".add", y, x));
}

ValueId stem(NetBuilder& net, const Member& member) {
  if (!member.deep) {
    const ValueId x =
        conv_norm(net, "conv1", "bn1", net.input(), {.kernel = 7, .stride = 2, .padding = 3});
    return net.activation(kRelu, {"relu", "", {"act1"}}, x);
  }
  ValueId x =
      conv_norm(net, "conv1.0", "conv1.1", net.input(), {.kernel = 3, .stride = 2, .padding = 1});
  x = net.activation(kRelu, "conv1.2", x);
  x = conv_norm(net, "conv1.3", "conv1.4", x, {.kernel = 3, .padding = 1});
  x = net.activation(kRelu, "conv1.5", x);
  x = conv_norm(net, "conv1.6", "bn1", x, {.kernel = 3, .padding = 1});
  return net.activation(kRelu, "act1", x);
}

// As torchvision's IMAGENET1K_V1 weights were evaluated, and timm's of ResNet-D.
Preprocess preprocess_of(const Member& member) {
  Preprocess p = {.resize = member.resize, .crop_h = member.crop, .crop_w = member.crop};
  if (member.deep) p.filter = Preprocess::Filter::kBicubic;
  return p;
}

Result<ModelData> build_member(const Member& member, StateDict&& weights) {
  NetBuilder net(std::move(weights));
  ValueId x = stem(net, member);
  const std::string stem_tap = net.last_tap();
  x = net.max_pool("maxpool", x, {.kernel = 3, .stride = 2, .padding = 1});
  for (int layer = 0; layer < 4; ++layer) {
    for (int i = 0; i < member.depths[static_cast<size_t>(layer)]; ++i) {
      const std::string name = block_name(layer, i);
      x = block(net, name, x, layer > 0 && i == 0 ? 2 : 1, member);
      net.add_to_group("blocks", name);
    }
  }
  // Flattening a vector is another name of the same place.
  const LayerName torchvision = {
      "avgpool", "", {"flatten", "global_pool.pool", "global_pool.flatten"}};
  const LayerName timm = {"global_pool.pool", "", {"global_pool.flatten"}};
  x = net.global_avg_pool(member.deep ? timm : torchvision, x);
  net.alias("penultimate");
  if (net.continues("fc", x)) net.linear("fc", x);
  net.name_stages({stem_tap, "layer1", "layer2", "layer3", "layer4"});
  return net.finish(member.name, preprocess_of(member));
}

}  // namespace

std::span<const Architecture> resnets() {
  static constexpr auto kAll = architectures_of<kMembers, looks_like, build_member>();
  return kAll;
}

}  // namespace penult::converters
