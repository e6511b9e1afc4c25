#include "engine/passes/passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ops/op.h"

namespace penult {
namespace {

using ::testing::ElementsAre;

// Small nets, written as sentences: conv(x) appends a node and returns its value.
class PassTest : public ::testing::Test {
 protected:
  void SetUp() override { graph_.input = graph_.add_value("input"); }

  WeightId weight(std::vector<int64_t> dims) {
    graph_.weights.push_back({"w" + std::to_string(graph_.weights.size()), std::move(dims)});
    return static_cast<WeightId>(graph_.weights.size()) - 1;
  }
  ValueId conv(const std::string& name, ValueId x) {
    Attributes attrs;
    attrs.set("strides", std::vector<int64_t>{1, 1}).set("pads", std::vector<int64_t>{1, 1, 1, 1});
    return graph_.add_node(kConv2d, name, {x}, {weight({3, 3, 3, 3}), kNoWeight}, attrs);
  }
  ValueId batchnorm(const std::string& name, ValueId x) {
    Attributes attrs;
    attrs.set_float("eps", 1e-3f);
    return graph_.add_node(kBatchnorm, name, {x},
                           {weight({3}), weight({3}), weight({3}), weight({3})}, attrs);
  }
  ValueId relu(const std::string& name, ValueId x) { return graph_.add_node(kRelu, name, {x}); }
  ValueId pointwise(const std::string& name, ValueId x) {
    return graph_.add_node(kConv2d, name, {x}, {weight({3, 3, 1, 1}), kNoWeight},
                           Attributes().set("strides", {1, 1}));
  }
  ValueId mul(const std::string& name, ValueId x, ValueId y) {
    return graph_.add_node(kMul, name, {x, y});
  }
  ValueId add(const std::string& name, ValueId x, ValueId y) {
    return graph_.add_node(kAdd, name, {x, y});
  }

  ValueId linear(const std::string& name, ValueId x, int64_t oc, int64_t ic) {
    return graph_.add_node(kLinear, name, {x}, {weight({oc, ic}), weight({oc})});
  }
  // A squeeze-and-excitation block on x, whose values begin with `name`.
  ValueId excited(const std::string& name, ValueId x) {
    const ValueId mean = graph_.add_node(kGlobalAvgPool, name + ".mean", {x});
    const ValueId squeezed = relu(name + ".relu", linear(name + ".fc1", mean, 2, 3));
    const ValueId factors = linear(name + ".fc2", squeezed, 3, 2);
    return mul(name, graph_.add_node(kHardSigmoid, name + ".factors", {factors}), x);
  }
  ValueId named(const std::string& name) const {
    for (size_t i = 0; i < graph_.values.size(); ++i)
      if (graph_.values[i].name == name) return static_cast<ValueId>(i);
    return kNoValue;
  }

  // Runs all passes with these outputs.
  void run(std::vector<ValueId> outputs, bool fuse = true, bool fuse_squeeze_excitation = false) {
    ASSERT_TRUE(validate(graph_).ok()) << validate(graph_).message();
    const Status status = infer_shapes(graph_, 3, 8, 8);
    ASSERT_TRUE(status.ok()) << status.message();
    const Status passes =
        run_passes(graph_, std::move(outputs),
                   {.fuse = fuse, .fuse_squeeze_excitation = fuse_squeeze_excitation});
    ASSERT_TRUE(passes.ok()) << passes.message();
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const Node& node : graph_.nodes) names.push_back(node.name);
    return names;
  }
  const Node& node(const std::string& name) const {
    for (const Node& node : graph_.nodes) {
      if (node.name == name) return node;
    }
    ADD_FAILURE() << "no node " << name << " in\n" << dump(graph_);
    return graph_.nodes.at(0);
  }

  Graph graph_;
};

TEST_F(PassTest, TruncationDropsEverythingBehindTheTap) {
  const ValueId a = conv("a", graph_.input);
  conv("c", conv("b", a));
  run({a});
  EXPECT_THAT(names(), ElementsAre("a"));
}

TEST_F(PassTest, ConvolutionBatchnormReluBecomeOneNode) {
  const ValueId y = relu("relu", batchnorm("bn", conv("conv", graph_.input)));
  run({y});
  ASSERT_THAT(names(), ElementsAre("relu"));
  EXPECT_EQ(graph_.nodes[0].op, &kConv2d);
  EXPECT_TRUE(graph_.nodes[0].fused.batchnorm.has_value());
  EXPECT_FLOAT_EQ(graph_.nodes[0].fused.batchnorm->eps, 1e-3f);
  EXPECT_EQ(graph_.nodes[0].fused.activation, Activation::clamp(0, INFINITY));
  EXPECT_EQ(graph_.nodes[0].output, y);
}

TEST_F(PassTest, WithoutFusionOnlyBatchnormIsFolded) {
  const ValueId y = relu("relu", batchnorm("bn", conv("conv", graph_.input)));
  run({y}, /*fuse=*/false);
  EXPECT_THAT(names(), ElementsAre("bn", "relu"));
  EXPECT_TRUE(node("bn").fused.batchnorm.has_value());
}

TEST_F(PassTest, ATapBetweenConvolutionAndBatchnormIsComputedOnTheSide) {
  const ValueId v = conv("conv", graph_.input);
  const ValueId y = relu("relu", batchnorm("bn", v));
  run({v, y});
  ASSERT_THAT(names(), ElementsAre("conv", "relu"));
  EXPECT_FALSE(node("conv").fused.batchnorm.has_value());
  EXPECT_EQ(node("conv").output, v);
  EXPECT_TRUE(node("relu").fused.batchnorm.has_value());
  EXPECT_THAT(node("relu").inputs, ElementsAre(graph_.input));
}

TEST_F(PassTest, ATapOnTheConvolutionAloneNeedsNoBatchnorm) {
  const ValueId v = conv("conv", graph_.input);
  relu("relu", batchnorm("bn", v));
  run({v});
  ASSERT_THAT(names(), ElementsAre("conv"));
  EXPECT_FALSE(node("conv").fused.batchnorm.has_value());
}

TEST_F(PassTest, ATapBeforeTheActivationKeepsTheActivationApart) {
  const ValueId b = batchnorm("bn", conv("conv", graph_.input));
  const ValueId y = relu("relu", b);
  run({b, y});
  ASSERT_THAT(names(), ElementsAre("bn", "relu"));
  EXPECT_EQ(node("bn").fused.activation, Activation{});
  EXPECT_EQ(node("relu").op, &kRelu);
}

TEST_F(PassTest, AddAndReluFuseIntoTheLaterConvolution) {
  const ValueId x = relu("x", conv("first", graph_.input));
  const ValueId shortcut = batchnorm("shortcut", conv("down", x));
  const ValueId main = batchnorm("main", conv("last", conv("middle", x)));
  const ValueId y = relu("y", add("sum", shortcut, main));
  run({y});
  ASSERT_THAT(names(), ElementsAre("x", "shortcut", "middle", "y"));
  EXPECT_EQ(node("y").fused.residual, shortcut);
  EXPECT_EQ(node("y").fused.activation, Activation::clamp(0, INFINITY));
}

TEST_F(PassTest, AddMovesBehindAResidualThatIsComputedLater) {
  const ValueId early = conv("early", graph_.input);
  const ValueId late = relu("late", conv("other", graph_.input));
  const ValueId late_too = relu("late_too", late);  // not fusable: `late` has two readers
  const ValueId y = add("sum", early, late_too);
  run({y, late});
  ASSERT_EQ(names().back(), "sum");
  EXPECT_EQ(graph_.nodes.back().op, &kConv2d);
  EXPECT_EQ(graph_.nodes.back().fused.residual, late_too);
}

TEST_F(PassTest, ATapBeforeTheAddBlocksItsFusion) {
  const ValueId x = relu("x", conv("first", graph_.input));
  const ValueId v = batchnorm("bn", conv("conv", x));
  const ValueId y = add("sum", x, v);
  run({v, y});
  EXPECT_EQ(node("sum").op, &kAdd);
  EXPECT_EQ(node("bn").fused.residual, kNoValue);
}

TEST_F(PassTest, AValueAddedToItselfStaysAnAdd) {
  const ValueId v = conv("conv", graph_.input);
  run({add("sum", v, v)});
  EXPECT_THAT(names(), ElementsAre("conv", "sum"));
}

TEST_F(PassTest, AFactorForEachChannelFusesIntoThePointwiseConvolutionBehindIt) {
  for (const bool map_first : {false, true}) {
    graph_ = {};
    SetUp();
    const ValueId x = conv("x", graph_.input);
    const ValueId gate = graph_.add_node(kGlobalAvgPool, "gate", {x});
    const ValueId v = map_first ? mul("scaled", x, gate) : mul("scaled", gate, x);
    run({relu("y", batchnorm("bn", pointwise("project", v)))});
    ASSERT_THAT(names(), ElementsAre("x", "gate", "y"));
    EXPECT_THAT(node("y").inputs, ElementsAre(x, gate));
    EXPECT_EQ(node("y").fused.activation, Activation::clamp(0, INFINITY));
  }
}

TEST_F(PassTest, ATapOnTheProductOrAWideKernelKeepsTheProduct) {
  const ValueId x = conv("x", graph_.input);
  const ValueId gate = graph_.add_node(kGlobalAvgPool, "gate", {x});
  const ValueId v = mul("v", x, gate);
  const ValueId w = mul("w", pointwise("project", v), gate);
  run({conv("wide", w), v});
  EXPECT_THAT(names(), ElementsAre("x", "gate", "v", "project", "w", "wide"));
}

TEST_F(PassTest, AProductOfTwoMapsOrOneWithAnEpilogueStaysAProduct) {
  const ValueId x = conv("x", graph_.input);
  const ValueId maps = pointwise("first", mul("maps", x, pointwise("other", x)));
  const ValueId gate = graph_.add_node(kGlobalAvgPool, "gate", {x});
  run({pointwise("second", relu("relu", mul("scaled", gate, maps)))});
  EXPECT_THAT(names(), ElementsAre("x", "other", "maps", "first", "gate", "relu", "second"));
  EXPECT_EQ(node("relu").op, &kMul);
}

TEST_F(PassTest, ASqueezeExcitationBlockBecomesOneNodeWhereAKernelComputesIt) {
  run({excited("block", conv("x", graph_.input))}, true, true);
  ASSERT_THAT(names(), ElementsAre("x", "block.factors", "block"));
  const Node& block = node("block.factors");
  EXPECT_EQ(block.op, &kSqueezeExcitation);
  EXPECT_THAT(block.inputs, ElementsAre(named("x")));
  EXPECT_EQ(graph_.weights[block.weights[0]].dims, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(graph_.weights[block.weights[2]].dims, (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(block.fused.squeeze, kRelu.activation({}));
  EXPECT_EQ(block.fused.activation, kHardSigmoid.activation({}));
}

TEST_F(PassTest, ASqueezeExcitationBlockStaysWhereNoKernelComputesItOrATapIsInside) {
  const Graph empty = graph_;
  for (const char* tap : {"block.mean", "block.relu", "block.fc1", "block.factors"}) {
    graph_ = empty;
    const ValueId y = excited("block", conv("x", graph_.input));
    run({y, named(tap)}, true, true);
    for (const Node& node : graph_.nodes) EXPECT_NE(node.op, &kSqueezeExcitation) << tap;
  }
  graph_ = empty;
  run({excited("block", conv("x", graph_.input))});
  EXPECT_THAT(names(), ElementsAre("x", "block.mean", "block.relu", "block.factors", "block"));
}

TEST_F(PassTest, AHeadOfTwoLayersIsNoSqueezeExcitationBlock) {
  const ValueId x = conv("x", graph_.input);
  const ValueId mean = graph_.add_node(kGlobalAvgPool, "mean", {x});
  run({linear("second", linear("first", mean, 2, 3), 5, 2)}, true, true);
  EXPECT_THAT(names(), ElementsAre("x", "mean", "first", "second"));
}

TEST_F(PassTest, AValueWithTwoReadersKeepsItsBits) {
  const ValueId v = conv("conv", graph_.input);
  const ValueId y = relu("y", v);
  run({add("sum", relu("other", y), v), y});
  EXPECT_EQ(node("conv").fused.activation, Activation{});
  EXPECT_EQ(node("y").op, &kRelu);
}

}  // namespace
}  // namespace penult
