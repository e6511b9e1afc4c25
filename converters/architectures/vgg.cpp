// VGG (Simonyan and Zisserman 2014), torchvision's `vgg11` to `vgg19_bn`: stages of 3x3
// convolutions that end in a pooling, and three linear layers over a map of 7x7. Two namings of the
// linear layers are read: torchvision's (classifier.0) and timm's, where they are convolutions
// (pre_logits.fc1). The networks are the same at 224 pixels; at other sizes this is torchvision's,
// which pools to 7x7, while timm's moves its convolution over the map. Tap names: torchvision's FX
// nodes. Widths come from the shapes.

#include "converters/architectures/architectures.h"
#include "converters/architectures/members.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-5f;
constexpr int64_t kSide = 7;  // of the map that the linear layers read

struct Member {
  const char* name;
  std::array<int, 5> depths;  // convolutions of each stage
  bool normalises;
};

constexpr std::array<Member, 8> kMembers = {{
    {"vgg11", {1, 1, 2, 2, 2}, false},
    {"vgg11_bn", {1, 1, 2, 2, 2}, true},
    {"vgg13", {2, 2, 2, 2, 2}, false},
    {"vgg13_bn", {2, 2, 2, 2, 2}, true},
    {"vgg16", {2, 2, 3, 3, 3}, false},
    {"vgg16_bn", {2, 2, 3, 3, 3}, true},
    {"vgg19", {2, 2, 4, 4, 4}, false},
    {"vgg19_bn", {2, 2, 4, 4, 4}, true},
}};

std::string feature(int index) { return "features." + std::to_string(index); }

// Convolution, batchnorm if there is one, ReLU.
int modules_of_layer(const Member& member) { return member.normalises ? 3 : 2; }

bool looks_like(const Member& member, const StateDict& weights) {
  int index = 0;
  for (const int depth : member.depths) {
    for (int i = 0; i < depth; ++i, index += modules_of_layer(member)) {
      const bool normalises = find(weights, feature(index + 1) + ".running_var") != nullptr;
      if (normalises != member.normalises ||
          !has_shape(weights, feature(index) + ".weight", {-1, -1, 3, 3})) {
        return false;
      }
    }
    ++index;
  }
  return !find(weights, feature(index - 1) + ".weight");
}

ValueId stages(NetBuilder& net, const Member& member, std::vector<std::string>& scales) {
  ValueId x = net.input();
  int index = 0;
  for (const int depth : member.depths) {
    for (int i = 0; i < depth; ++i) {
      x = net.conv(feature(index++), x, {.kernel = 3, .padding = 1});
      if (member.normalises) x = net.batchnorm(feature(index++), x, kEps);
      x = net.activation(kRelu, feature(index++), x);
    }
    scales.push_back(net.last_tap());
    x = net.max_pool(feature(index++), x, {.kernel = 2, .stride = 2});
    net.add_to_group("blocks", net.last_tap());
  }
  scales.push_back(net.last_tap());
  return x;
}

// What the next linear layer reads; a classifier may be missing from any of its layers on.
void classify(NetBuilder& net, ValueId x) {
  const bool timm = net.has("pre_logits.fc1.weight");
  const auto key = [&](const char* torchvision, const char* other) {
    return std::string(timm ? other : torchvision);
  };
  const std::string first = key("classifier.0", "pre_logits.fc1");
  const std::string second = key("classifier.3", "pre_logits.fc2");
  const std::string last = key("classifier.6", "head.fc");
  if (net.continues(first, x)) {
    x = net.linear({"classifier.0", first, {"pre_logits.fc1"}}, x, kSide);
    x = net.activation(kRelu, {"classifier.1", "", {"classifier.2", "pre_logits.act1"}}, x);
    x = net.linear({"classifier.3", second, {"pre_logits.fc2"}}, x);
    x = net.activation(kRelu, {"classifier.4", "", {"classifier.5", "pre_logits.act2"}}, x);
    for (const char* name : {"pre_logits", "head.global_pool.pool", "head.global_pool.flatten"}) {
      net.alias(name);
    }
    net.alias("head.drop");
  }
  net.alias("penultimate");
  if (net.continues(last, x)) net.linear({"classifier.6", last, {"head.fc", "head.flatten"}}, x);
}

Result<ModelData> build(const Member& member, StateDict&& weights) {
  NetBuilder net(std::move(weights));
  std::vector<std::string> scales;
  ValueId x = stages(net, member, scales);
  const int64_t channels = net.channels(x);
  x = net.adaptive_avg_pool("avgpool", x, kSide);
  x = net.op(kFlattenOp, "flatten", x, {}, channels * kSide * kSide);
  classify(net, x);
  net.name_stages(scales);
  return net.finish(member.name, {});
}

}  // namespace

std::span<const Architecture> vggs() {
  static constexpr auto kAll = architectures_of<kMembers, looks_like, build>();
  return kAll;
}

}  // namespace penult::converters
