#include "tests/support/random_net.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ops/op.h"

namespace penult::testing {

WeightId RandomNet::keep(const std::string& name, std::vector<int64_t> dims,
                         std::vector<float> values) {
  graph_.weights.push_back({name, std::move(dims)});
  tensors_.push_back(std::move(values));
  return static_cast<WeightId>(tensors_.size()) - 1;
}

WeightId RandomNet::normal(const std::string& name, std::vector<int64_t> dims, float mean,
                           float deviation) {
  std::normal_distribution<float> distribution(mean, deviation);
  std::vector<float> values(WeightInfo{name, dims}.elems());
  for (float& v : values) v = distribution(random_);
  return keep(name, std::move(dims), std::move(values));
}

WeightId RandomNet::uniform(const std::string& name, std::vector<int64_t> dims, float lo,
                            float hi) {
  std::uniform_real_distribution<float> distribution(lo, hi);
  std::vector<float> values(WeightInfo{name, dims}.elems());
  for (float& v : values) v = distribution(random_);
  return keep(name, std::move(dims), std::move(values));
}

ValueId RandomNet::conv(const std::string& name, ValueId x, int64_t ic, const Conv& c) {
  const int64_t pad = c.kernel / 2, fan_in = c.kernel * c.kernel * ic / c.groups;
  Attributes attrs;
  attrs.set("strides", {c.stride, c.stride}).set("pads", {pad, pad, pad, pad});
  attrs.set("groups", c.groups);
  const float deviation = std::sqrt(2.0f / static_cast<float>(fan_in));
  const WeightId weight =
      normal(name + ".weight", {c.oc, ic / c.groups, c.kernel, c.kernel}, 0, deviation);
  const WeightId bias = c.bias ? normal(name + ".bias", {c.oc}, 0, 0.3f) : kNoWeight;
  return graph_.add_node(kConv2d, name, {x}, {weight, bias}, attrs);
}

ValueId RandomNet::batchnorm(const std::string& name, ValueId x, int64_t channels) {
  Attributes attrs;
  attrs.set_float("eps", 1e-5f);
  const WeightId gamma = uniform(name + ".weight", {channels}, 0.5f, 1.5f);
  const WeightId beta = normal(name + ".bias", {channels}, 0, 0.3f);
  const WeightId mean = normal(name + ".running_mean", {channels}, 0, 0.3f);
  const WeightId var = uniform(name + ".running_var", {channels}, 0.5f, 2.0f);
  return graph_.add_node(kBatchnorm, name, {x}, {gamma, beta, mean, var}, attrs);
}

ValueId RandomNet::linear(const std::string& name, ValueId x, int64_t ic, int64_t oc) {
  const float deviation = std::sqrt(1.0f / static_cast<float>(ic));
  const WeightId weight = normal(name + ".weight", {oc, ic}, 0, deviation);
  const WeightId bias = normal(name + ".bias", {oc}, 0, 0.3f);
  return graph_.add_node(kLinear, name, {x}, {weight, bias});
}

Graph RandomNet::finish(int64_t c, int64_t h, int64_t w) {
  graph_.source = std::make_shared<MemoryWeights>(std::move(tensors_));
  Status status = validate(graph_);
  EXPECT_TRUE(status.ok()) << status.message();
  status = infer_shapes(graph_, c, h, w);
  EXPECT_TRUE(status.ok()) << status.message();
  return std::move(graph_);
}

Graph inverted_residual_net(uint32_t seed, int64_t size) {
  struct Block {
    int64_t expand, oc, stride, kernel;
  };
  constexpr Block kBlocks[] = {{1, 16, 1, 3}, {6, 24, 2, 3}, {6, 24, 1, 3},
                               {6, 40, 2, 5}, {3, 40, 1, 5}, {2, 17, 2, 3}};
  RandomNet net(seed);
  ValueId x = net.conv("stem", net.input(), 3, {.oc = 32, .kernel = 3, .stride = 2});
  x = net.node(kRelu6, "stem.act", {net.batchnorm("stem.bn", x, 32)});
  int64_t ic = 32;
  for (size_t i = 0; i < std::size(kBlocks); ++i) {
    const Block& b = kBlocks[i];
    const std::string name = "block" + std::to_string(i);
    const int64_t wide = ic * b.expand;
    ValueId y = x;
    if (b.expand != 1) {
      y = net.conv(name + ".expand", y, ic, {.oc = wide});
      y = net.node(kRelu6, name + ".expand.act", {net.batchnorm(name + ".expand.bn", y, wide)});
    }
    y = net.conv(name + ".depthwise", y, wide,
                 {.oc = wide, .kernel = b.kernel, .stride = b.stride, .groups = wide});
    y = net.node(kRelu6, name + ".depthwise.act", {net.batchnorm(name + ".depthwise.bn", y, wide)});
    y = net.batchnorm(name + ".project.bn", net.conv(name + ".project", y, wide, {.oc = b.oc}),
                      b.oc);
    if (b.stride == 1 && ic == b.oc) y = net.node(kAdd, name + ".add", {y, x});
    x = y;
    ic = b.oc;
  }
  x = net.node(kGlobalAvgPool, "pool", {x});
  net.linear("classifier", x, ic, 10);
  return net.finish(3, size, size);
}

namespace {

Attributes pool(int64_t kernel, int64_t stride, int64_t pad) {
  return Attributes()
      .set("kernel", {kernel, kernel})
      .set("strides", {stride, stride})
      .set("pads", {pad, pad, pad, pad});
}

ValueId squeeze_excite(RandomNet& net, const std::string& name, ValueId x, int64_t c) {
  ValueId s = net.node(kGlobalAvgPool, name + ".pool", {x});
  s = net.node(kSilu, name + ".act", {net.linear(name + ".reduce", s, c, 5)});
  s = net.node(kSigmoid, name + ".gate", {net.linear(name + ".expand", s, 5, c)});
  return net.node(kMul, name, {s, x});
}

}  // namespace

Graph mixed_net(uint32_t seed, int64_t size) {
  RandomNet net(seed);
  ValueId x = net.conv("stem", net.input(), 3, {.oc = 24, .kernel = 7, .stride = 2});
  x = net.node(kHardSwish, "stem.act", {net.batchnorm("stem.bn", x, 24)});
  x = net.node(kMaxPool2d, "stem.pool", {x}, pool(3, 2, 1));
  // ResNeXt: 6 groups of 4 channels, then a residual.
  ValueId y = net.conv("grouped", x, 24, {.oc = 24, .kernel = 3, .groups = 6});
  y = net.node(kLeakyRelu, "grouped.act", {net.batchnorm("grouped.bn", y, 24)});
  x = net.node(kSilu, "grouped.out", {net.node(kAdd, "grouped.add", {y, x})});
  y = net.conv("large", x, 24, {.oc = 24, .kernel = 7, .groups = 24});
  y = net.node(kHardSigmoid, "large.act", {net.batchnorm("large.bn", y, 24)});
  y = squeeze_excite(net, "se", y, 24);
  y = net.node(kAdd, "se.add", {y, x});
  y = net.conv("project", squeeze_excite(net, "gate", y, 24), 24, {.oc = 24});
  y = net.batchnorm("project.bn", y, 24);
  x = net.node(kConcat, "concat", {y, net.conv("branch", x, 24, {.oc = 17}), x});
  x = net.node(kSlice, "slice", {x}, Attributes().set("begin", 5).set("end", 62));
  x = net.node(kPad, "pad", {x}, Attributes().set("pads", {0, 1, 1, 0}));
  x = net.node(kAvgPool2d, "pool", {x}, pool(3, 2, 1));
  x = net.node(kAdaptiveAvgPool2d, "adaptive", {x}, Attributes().set("output_size", {3, 3}));
  x = net.node(kFlattenOp, "flatten", {x});
  x = net.linear("classifier", x, (62 - 5) * 3 * 3, 10);
  net.node(kSoftmax, "softmax", {x});
  return net.finish(3, size, size);
}

}  // namespace penult::testing
