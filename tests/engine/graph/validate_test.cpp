#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "tests/engine/graph/small_graph.h"

namespace penult {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// input -> conv -> bn -> relu -> sum(relu, bn) -> pool -> fc; the ids are those of values.
struct Net : SmallGraph {
  Net() {
    conv = SmallGraph::conv("conv", graph.input, {8, 3, 3, 3}, 2);
    bn = batchnorm("bn", conv, 8);
    act = relu("act", bn);
    sum = add("sum", act, bn);
    pool = graph.add_node(kGlobalAvgPool, "pool", {sum});
    fc = graph.add_node(kLinear, "fc", {pool}, {weight({10, 8}), weight({10})});
    graph.outputs = {act, fc};
  }
  Node& node(ValueId value) {
    return *std::find_if(graph.nodes.begin(), graph.nodes.end(),
                         [value](const Node& node) { return node.output == value; });
  }

  ValueId conv, bn, act, sum, pool, fc;
};

TEST(Validate, AcceptsASoundGraphAndFillsInDefaults) {
  Net net;
  net.node(net.conv).weights.resize(1);
  const Status status = validate(net.graph);
  ASSERT_TRUE(status.ok()) << status.message();
  const Node& conv = net.node(net.conv);
  EXPECT_EQ(conv.attrs.get_int("dilations", 1), 1);
  EXPECT_EQ(conv.attrs.get_int("groups"), 1);
  EXPECT_EQ(conv.attrs.get_int("pads", 3), 0);
  EXPECT_THAT(conv.weights, ElementsAre(0, kNoWeight));
  EXPECT_TRUE(validate(net.graph).ok()) << "validating again changes nothing";
}

struct Fault {
  const char* name;
  std::function<void(Net&)> make;
  const char* message;  // what the error must say
};

class ValidateRefuses : public testing::TestWithParam<Fault> {};

TEST_P(ValidateRefuses, WithOneLineThatNamesThePlace) {
  Net net;
  GetParam().make(net);
  const Status status = validate(net.graph);
  EXPECT_EQ(status.code(), StatusCode::kModelInvalid);
  EXPECT_THAT(status.message(), HasSubstr(GetParam().message));
  EXPECT_EQ(status.message().find('\n'), std::string::npos);
}

std::string name_of(const testing::TestParamInfo<Fault>& info) { return info.param.name; }

const Fault kWiring[] = {
    {"NoOperator", [](Net& n) { n.node(n.act).op = nullptr; },
     "node \"act\": expected an operator"},
    {"TooFewInputs", [](Net& n) { n.node(n.sum).inputs.pop_back(); },
     "node \"sum\": expected 2 inputs for add, got 1"},
    {"TooManyInputs", [](Net& n) { n.node(n.act).inputs.assign(300, n.bn); },
     "node \"act\": expected 1 inputs for relu, got 300"},
    {"InputOutOfRange", [](Net& n) { n.node(n.act).inputs[0] = 99; },
     "node \"act\": input: expected a value below 7, got 99"},
    {"NegativeInput", [](Net& n) { n.node(n.act).inputs[0] = kNoValue; },
     "node \"act\": input: expected a value below 7, got -1"},
    {"Cycle", [](Net& n) { n.node(n.conv).inputs[0] = n.act; },
     "node \"conv\": input: expected a value of an earlier node, got \"act\""},
    {"ReadsItself", [](Net& n) { n.node(n.act).inputs[0] = n.act; },
     "node \"act\": input: expected a value of an earlier node"},
    {"WrongOrder", [](Net& n) { std::swap(n.graph.nodes[1], n.graph.nodes[2]); },
     "node \"act\": input: expected a value of an earlier node, got \"bn\""},
    {"OutputOutOfRange", [](Net& n) { n.node(n.act).output = 7; },
     "node \"act\": output: expected a value below 7, got 7"},
    {"TwoProducers", [](Net& n) { n.graph.nodes.push_back(n.node(n.act)); },
     "node \"act\": output: expected one producer for each value"},
    {"ProducesTheInput",
     [](Net& n) {
       Node& node = n.node(n.act);
       node.name = "input";
       node.output = n.graph.input;
     },
     "node \"input\": output: expected one producer for each value"},
    {"NodeNamedUnlikeItsValue", [](Net& n) { n.node(n.act).name = "other"; },
     "node \"other\": output: expected a value of the same name, got \"act\""},
    {"NoGraphInput", [](Net& n) { n.graph.input = kNoValue; }, "graph input"},
    {"GraphInputOutOfRange", [](Net& n) { n.graph.input = 7; },
     "graph input: expected a value below 7, got 7"},
    {"OutputThatDoesNotExist", [](Net& n) { n.graph.outputs.push_back(7); },
     "graph output: expected a value that a node produces, got 7"},
    {"OutputThatNobodyProduces",
     [](Net& n) { n.graph.outputs.push_back(n.graph.add_value("loose")); }, "graph output"},
};
INSTANTIATE_TEST_SUITE_P(Wiring, ValidateRefuses, testing::ValuesIn(kWiring), name_of);

const Fault kWeights[] = {
    {"RequiredWeightMissing", [](Net& n) { n.node(n.bn).weights[2] = kNoWeight; },
     "node \"bn\": weight \"mean\": required by batchnorm"},
    {"NoWeightsAtAll", [](Net& n) { n.node(n.conv).weights.clear(); },
     "node \"conv\": weight \"weight\": required by conv2d"},
    {"WeightOutOfRange", [](Net& n) { n.node(n.conv).weights[0] = 7; },
     "node \"conv\": weight \"weight\": expected a weight below 7, got 7"},
    {"NegativeWeight", [](Net& n) { n.node(n.conv).weights[0] = -2; },
     "node \"conv\": weight \"weight\": expected a weight below 7, got -2"},
    {"TooManyWeights",
     [](Net& n) {
       n.node(n.conv).weights = {0, 1, 2};
     },
     "node \"conv\": expected up to 2 weights for conv2d, got 3"},
    {"WeightOfWrongRank",
     [](Net& n) {
       n.graph.weights[0].dims = {8, 3, 3};
     },
     "node \"conv\": weight \"weight\": expected rank 4, got (8,3,3) of \"w0\""},
    {"RankAboveEight", [](Net& n) { n.weight(std::vector<int64_t>(9, 1)); },
     "weight \"w7\": expected rank up to 8, got 9"},
    {"ZeroDim", [](Net& n) { n.graph.weights[0].dims[1] = 0; }, "weight \"w0\": expected dims"},
    {"NegativeDim", [](Net& n) { n.graph.weights[0].dims[1] = -3; },
     "weight \"w0\": expected dims"},
    {"HugeDim", [](Net& n) { n.graph.weights[0].dims[1] = int64_t{1} << 31; },
     "weight \"w0\": expected dims in 1..2147483647"},
    {"TooManyElements",
     [](Net& n) {
       n.graph.weights[0].dims = {1 << 20, 1 << 20, 2, 1};
     },
     "weight \"w0\": expected up to 1099511627776 elements"},
    {"ElementsBeyond64Bits", [](Net& n) { n.graph.weights[0].dims.assign(4, Graph::kMaxDim); },
     "weight \"w0\": expected up to 1099511627776 elements"},
};
INSTANTIATE_TEST_SUITE_P(Weights, ValidateRefuses, testing::ValuesIn(kWeights), name_of);

void rename(Net& n, ValueId value, const std::string& name) {
  n.node(value).name = name;
  n.graph.values[static_cast<size_t>(value)].name = name;
}

const Fault kNames[] = {
    {"EmptyName", [](Net& n) { rename(n, n.act, ""); }, "value name \"\""},
    {"NameTooLong", [](Net& n) { rename(n, n.act, std::string(256, 'x')); },
     "1..255 bytes of UTF-8"},
    {"NameWithNewline", [](Net& n) { rename(n, n.act, "a\nb"); }, "value name \"a\\x0ab\""},
    {"NameNotUtf8", [](Net& n) { rename(n, n.act, "a\xff"); }, "value name \"a\\xff\""},
    {"NameTwice", [](Net& n) { rename(n, n.act, "bn"); }, "value name \"bn\": expected unique"},
    {"WeightNameEmpty", [](Net& n) { n.graph.weights[1].name = ""; }, "weight name \"\""},
    {"WeightNameTwice", [](Net& n) { n.graph.weights[1].name = "w0"; },
     "weight name \"w0\": expected unique"},
};
INSTANTIATE_TEST_SUITE_P(Names, ValidateRefuses, testing::ValuesIn(kNames), name_of);

const Fault kLimits[] = {
    {"TooManyNodes", [](Net& n) { n.graph.nodes.resize(65537); },
     "expected at most 65536 nodes, got 65537"},
    {"TooManyWeights", [](Net& n) { n.graph.weights.resize(65537); },
     "expected at most 65536 weights, got 65537"},
    {"TooManyValues", [](Net& n) { n.graph.values.resize(65538); },
     "expected at most 65537 values, got 65538"},
};
INSTANTIATE_TEST_SUITE_P(Limits, ValidateRefuses, testing::ValuesIn(kLimits), name_of);

const Fault kAttributes[] = {
    {"UnknownAttribute", [](Net& n) { n.node(n.act).attrs.set("slope", 1); },
     "node \"act\": attribute \"slope\": unknown to operator relu"},
    {"MissingAttribute", [](Net& n) { n.node(n.bn).attrs = {}; },
     "node \"bn\": attribute \"eps\": required by operator batchnorm"},
    {"ZeroStride",
     [](Net& n) {
       n.node(n.conv).attrs.set("strides", {1, 0});
     },
     "node \"conv\": attribute \"strides\": expected 1..1024, got 0"},
};
INSTANTIATE_TEST_SUITE_P(Attributes, ValidateRefuses, testing::ValuesIn(kAttributes), name_of);

const Fault kFusions[] = {
    {"ResidualOfALaterNode", [](Net& n) { n.node(n.conv).fused.residual = n.act; },
     "node \"conv\": residual: expected a value of an earlier node, got \"act\""},
    {"ResidualOutOfRange", [](Net& n) { n.node(n.conv).fused.residual = 50; },
     "node \"conv\": residual: expected a value below 7, got 50"},
    {"EpilogueWhereNoneIsTaken",
     [](Net& n) { n.node(n.act).fused.activation = Activation::clamp(0, 1); },
     "node \"act\": operator relu takes no fused epilogue"},
    {"BatchnormInAnAdd",
     [](Net& n) {
       n.node(n.sum).fused.batchnorm = FoldedBatchnorm{1, 2, 3, 4, 1e-5f};
     },
     "node \"sum\": operator add cannot hold a folded batchnorm"},
    {"FoldedBatchnormWithoutWeights",
     [](Net& n) {
       n.node(n.conv).fused.batchnorm = FoldedBatchnorm{1, 2, 3, kNoWeight, 1e-5f};
     },
     "node \"conv\": weight \"var\""},
    {"FoldedBatchnormOfWrongRank",
     [](Net& n) {
       n.node(n.conv).fused.batchnorm = FoldedBatchnorm{0, 2, 3, 4, 1e-5f};
     },
     "node \"conv\": weight \"gamma\": expected rank 1"},
    {"FoldedBatchnormWithoutEps",
     [](Net& n) {
       n.node(n.conv).fused.batchnorm = FoldedBatchnorm{1, 2, 3, 4, 0};
     },
     "node \"conv\": operator conv2d cannot hold a folded batchnorm of eps 0"},
};
INSTANTIATE_TEST_SUITE_P(Fusions, ValidateRefuses, testing::ValuesIn(kFusions), name_of);

TEST(Validate, AcceptsWhatPassesLeaveBehind) {
  Net net;
  Node& conv = net.node(net.conv);
  conv.fused = {FoldedBatchnorm{1, 2, 3, 4, 1e-5f}, net.graph.input, Activation::clamp(0, 6)};
  conv.name = "bn";
  conv.output = net.bn;
  net.graph.nodes.erase(net.graph.nodes.begin() + 1);  // the value "conv" has no producer any more
  const Status status = validate(net.graph);
  EXPECT_TRUE(status.ok()) << status.message();
}

TEST(Validate, TakesTheLargestGraphInReasonableTime) {
  SmallGraph g;
  ValueId last = g.graph.input;
  for (size_t i = 0; i < Graph::kMaxNodes; ++i) last = g.relu("n" + std::to_string(i), last);
  g.graph.outputs = {last};
  EXPECT_TRUE(validate(g.graph).ok());
  EXPECT_TRUE(infer_shapes(g.graph, 3, 4, 4).ok());
}

}  // namespace
}  // namespace penult
