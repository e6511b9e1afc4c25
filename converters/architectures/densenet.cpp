// DenseNet (Huang et al. 2017), torchvision's `densenet121` to `densenet201`, whose tensors timm's
// equally named networks share. A layer reads all maps of its block before it. Batchnorm and ReLU
// come before the convolutions. Old files call a layer's tensors norm.1, conv.2 and not norm1,
// conv2. Tap names: torchvision's FX nodes. Widths come from the shapes.

#include "converters/architectures/architectures.h"
#include "converters/architectures/members.h"
#include "converters/architectures/net_builder.h"
#include "engine/ops/op.h"

namespace penult::converters {
namespace {

constexpr float kEps = 1e-5f;

struct Member {
  const char* name;
  std::array<int, 4> depths;  // layers of each block
};

constexpr std::array<Member, 4> kMembers = {{
    {"densenet121", {6, 12, 24, 16}},
    {"densenet161", {6, 12, 36, 24}},
    {"densenet169", {6, 12, 32, 32}},
    {"densenet201", {6, 12, 48, 32}},
}};

std::string block_name(int block) { return "features.denseblock" + std::to_string(block + 1); }

std::string layer_name(int block, int index) {
  return block_name(block) + ".denselayer" + std::to_string(index + 1);
}

constexpr const char* kFirstOfOldFiles = "features.denseblock1.denselayer1.norm.1.weight";

bool looks_like(const Member& member, const StateDict& weights) {
  const std::string conv = find(weights, kFirstOfOldFiles) ? ".conv.2.weight" : ".conv2.weight";
  for (int block = 0; block < 4; ++block) {
    const int depth = member.depths[static_cast<size_t>(block)];
    if (!has_shape(weights, layer_name(block, depth - 1) + conv, {-1, -1, 3, 3}) ||
        find(weights, layer_name(block, depth) + conv)) {
      return false;
    }
  }
  return has_shape(weights, "features.conv0.weight", {-1, 3, 7, 7});
}

class Builder {
 public:
  explicit Builder(StateDict&& weights) : net_(std::move(weights)) {}

  Result<ModelData> build(const Member& member);

 private:
  ValueId layer(const std::string& name, const std::vector<ValueId>& maps);
  ValueId block(int block, int depth, ValueId x);
  ValueId transition(const std::string& name, ValueId x);

  NetBuilder net_;
};

ValueId Builder::layer(const std::string& name, const std::vector<ValueId>& maps) {
  const bool old = net_.has(kFirstOfOldFiles);
  const auto named = [&](const std::string& kind, const std::string& number) {
    return LayerName(name + "." + kind + number, name + "." + kind + (old ? "." : "") + number);
  };
  ValueId x = maps[0];
  if (maps.size() > 1) {
    x = net_.concat_channels(name + ".cat", maps);
  } else {
    net_.alias(name + ".cat");  // of one map
  }
  x = net_.activation(kRelu, name + ".relu1", net_.batchnorm(named("norm", "1"), x, kEps));
  x = net_.batchnorm(named("norm", "2"), net_.conv(named("conv", "1"), x, {}), kEps);
  x = net_.activation(kRelu, name + ".relu2", x);
  return net_.conv(named("conv", "2"), x, {.kernel = 3, .padding = 1});
}

ValueId Builder::block(int block, int depth, ValueId x) {
  std::vector<ValueId> maps = {x};
  for (int i = 0; i < depth; ++i) maps.push_back(layer(layer_name(block, i), maps));
  x = net_.concat_channels(block_name(block) + ".cat", maps);
  net_.add_to_group("blocks", block_name(block));
  return x;
}

ValueId Builder::transition(const std::string& name, ValueId x) {
  x = net_.activation(kRelu, name + ".relu", net_.batchnorm(name + ".norm", x, kEps));
  x = net_.conv(name + ".conv", x, {});
  x = net_.avg_pool(name + ".pool", x, {.kernel = 2, .stride = 2});
  net_.add_to_group("blocks", name);
  return x;
}

Result<ModelData> Builder::build(const Member& member) {
  ValueId x = net_.conv("features.conv0", net_.input(), {.kernel = 7, .stride = 2, .padding = 3});
  x = net_.activation(kRelu, "features.relu0", net_.batchnorm("features.norm0", x, kEps));
  x = net_.max_pool("features.pool0", x, {.kernel = 3, .stride = 2, .padding = 1});
  for (int i = 0; i < 4; ++i) {
    x = block(i, member.depths[static_cast<size_t>(i)], x);
    if (i < 3) x = transition("features.transition" + std::to_string(i + 1), x);
  }
  x = net_.activation(kRelu, "relu", net_.batchnorm("features.norm5", x, kEps));
  x = net_.global_avg_pool({"adaptive_avg_pool2d", "", {"flatten"}}, x);
  net_.alias("penultimate");
  if (net_.continues("classifier", x)) net_.linear("classifier", x);
  net_.name_stages({"features.relu0", block_name(0), block_name(1), block_name(2), "relu"});
  return net_.finish(member.name, {});
}

Result<ModelData> build(const Member& member, StateDict&& weights) {
  return Builder(std::move(weights)).build(member);
}

}  // namespace

std::span<const Architecture> densenets() {
  static constexpr auto kAll = architectures_of<kMembers, looks_like, build>();
  return kAll;
}

}  // namespace penult::converters
