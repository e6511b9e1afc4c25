#include <cmath>

#include "converters/onnx/handlers.h"
#include "tests/converters/onnx_models.h"

namespace penult::converters::onnx {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatEq;
using ::testing::Pointwise;

constexpr StatusCode kUnsupported = StatusCode::kFormatUnsupported;

Tensor scalar(float x) { return numbers({}, {x}); }

TEST(OnnxOperators, EveryRowIsFoundUnderItsNameAndDoesSomething) {
  for (const OperatorRow& row : all_operators()) {
    EXPECT_EQ(find_operator(row.op), &row) << row.op;
    EXPECT_TRUE(row.convert != nullptr || row.fold != nullptr) << row.op;
  }
  EXPECT_EQ(find_operator("Resize"), nullptr);
}

TEST(OnnxPatterns, ThreeSpellingsAreHardSwish) {
  const std::map<std::string, Tensor> constants = {
      {"3", scalar(3)}, {"0", scalar(0)}, {"6", scalar(6)}, {"1/6", scalar(1.0f / 6)}};
  const Node plus3 = node("Add", {"x", "3"}, {"a"}), clip = node("Clip", {"a", "0", "6"}, {"b"});
  const auto three = {
      model_of({plus3, clip, node("Mul", {"x", "b"}, {"c"}), node("Div", {"c", "6"}, {"y"})},
               constants),
      model_of({plus3, clip, node("Div", {"b", "6"}, {"c"}), node("Mul", {"c", "x"}, {"y"})},
               constants),
      model_of({plus3, clip, node("Mul", {"x", "1/6"}, {"c"}), node("Mul", {"c", "b"}, {"y"})},
               constants)};
  for (const OnnxModel& model : three) EXPECT_THAT(ops(import(model)), ElementsAre("hard_swish"));
}

TEST(OnnxPatterns, AnotherConstantIsNoHardSwish) {
  const std::map<std::string, Tensor> constants = {
      {"3", scalar(3)}, {"0", scalar(0)}, {"6", scalar(6)}, {"5", scalar(5)}};
  const ModelData model =
      import(model_of({node("Add", {"x", "3"}, {"a"}), node("Clip", {"a", "0", "6"}, {"b"}),
                       node("Mul", {"x", "b"}, {"c"}), node("Div", {"c", "5"}, {"y"})},
                      constants));
  EXPECT_THAT(ops(model), ElementsAre("batchnorm", "relu6", "mul", "batchnorm"));
}

TEST(OnnxPatterns, ASigmoidThatIsReadElsewhereStaysBesideSilu) {
  const Node sigmoid = node("Sigmoid", {"x"}, {"s"}), silu = node("Mul", {"s", "x"}, {"y"});
  EXPECT_THAT(ops(import(model_of({sigmoid, silu}))), ElementsAre("silu"));
  EXPECT_THAT(ops(import(model_of({sigmoid, silu, node("Add", {"y", "s"}, {"z"})}))),
              ElementsAre("sigmoid", "silu", "add"));
}

TEST(OnnxPatterns, ClipsAreTheActivationsThatTheyEqual) {
  const auto clip = [](float lo, float hi) {
    return ops(
        import(model_of({node("Clip", {"x"}, {"y"}, {{"min", a_float(lo)}, {"max", a_float(hi)}})},
                        {}, {1, 3, 4, 4}, 9)));
  };
  EXPECT_THAT(clip(0, 6), ElementsAre("relu6"));
  EXPECT_THAT(clip(0, INFINITY), ElementsAre("relu"));
  EXPECT_THAT(clip(-1, 6), ElementsAre("clip"));
  EXPECT_THAT(ops(import(model_of({node("Max", {"x", "0"}, {"a"}), node("Min", {"6", "a"}, {"y"})},
                                  {{"0", scalar(0)}, {"6", scalar(6)}}))),
              ElementsAre("relu6"));
}

TEST(OnnxConstants, OneForEachChannelIsABatchnormAndExact) {
  const std::vector<float> y =
      run(model_of({node("Mul", {"x", "m"}, {"a"}), node("Sub", {"s", "a"}, {"y"})},
                   {{"m", numbers({2, 1, 1}, {3, 0.5f})}, {"s", scalar(0.25f)}}, {1, 2, 1, 2}));
  EXPECT_THAT(y,
              ElementsAre(0.25f, 0.25f - 3 * 0.1f, 0.25f - 0.5f * 0.2f, 0.25f - 0.5f * (0.1f * 3)));
}

TEST(OnnxConstants, ThatScaleTheInputAreNoted) {
  const std::map<std::string, Tensor> constants = {{"m", numbers({3, 1, 1}, {0.5f, 0.4f, 0.3f})}};
  const Node sub = node("Sub", {"x", "m"}, {"a"}), relu = node("Relu", {"x"}, {"a"});
  const auto notes = [&](const Node& first) {
    const auto source = import_model(
        model_of({first, node("Mul", {"a", "m"}, {"y"})}, constants, {1, 3, 4, 4}), {});
    return source.ok() ? source->notes : std::vector<std::string>{source.status().message()};
  };
  EXPECT_THAT(notes(sub), ElementsAre(::testing::HasSubstr("\"a\", which scales and shifts")));
  EXPECT_THAT(notes(relu), ElementsAre());
}

TEST(OnnxConstants, OnesThatDependOnThePositionAreRefused) {
  expect_refused(model_of({node("Add", {"x", "c"}, {"y"})}, {{"c", counting({1, 3, 4, 4})}}),
                 kUnsupported, "constants that depend on the position");
  // All alike, they do not.
  const Tensor twos = numbers({1, 3, 4, 4}, std::vector<float>(48, 2));
  EXPECT_THAT(ops(import(model_of({node("Add", {"x", "c"}, {"y"})}, {{"c", twos}}))),
              ElementsAre("batchnorm"));
}

TEST(OnnxConstants, Opset6SaysWhereTheyStand) {
  const OnnxModel model =
      model_of({node("Add", {"x", "c"}, {"y"}, {{"broadcast", an_int(1)}, {"axis", an_int(1)}})},
               {{"c", numbers({2}, {1, 2})}}, {1, 2, 1, 2}, 6);
  EXPECT_THAT(run(model), ElementsAre(1, 1.1f, 2.2f, 2 + 0.1f * 3));
}

TEST(OnnxLayout, ATransposedInputMovesNoNumbers) {
  const std::map<std::string, Tensor> weights = {{"w", counting({2, 3, 1, 1})}};
  OnnxModel model = model_of(
      {node("Transpose", {"x"}, {"t"}, {{"perm", ints({0, 3, 1, 2})}}),
       node("Conv", {"t", "w"}, {"c"}),
       node("Transpose", {"c"}, {"u"}, {{"perm", ints({0, 2, 3, 1})}}), node("Relu", {"u"}, {"y"})},
      weights, {1, 4, 5, 3});
  const auto source = import_model(std::move(model), {});
  ASSERT_TRUE(source.ok()) << source.status().message();
  EXPECT_THAT(ops(source->model), ElementsAre("conv2d", "relu"));
  EXPECT_EQ(source->model.info.input_h, 4);
  EXPECT_EQ(source->model.info.input_w, 5);
}

// The file's vector is (h,w,c), ours (c,h,w): columns of the matrix and constants move.
TEST(OnnxLayout, AFlattenedTransposeGivesTheFilesNumbers) {
  const std::vector<Node> direct = {node("Flatten", {"x"}, {"f"}), node("Add", {"f", "b"}, {"g"}),
                                    node("MatMul", {"g", "w"}, {"y"})};
  std::vector<Node> turned = {node("Transpose", {"x"}, {"t"}, {{"perm", ints({0, 2, 3, 1})}}),
                              node("Flatten", {"t"}, {"f"}), direct[1], direct[2]};
  const int64_t c = 3, h = 2, w = 2;
  Tensor b = counting({1, c * h * w}, 0.5f), m = counting({c * h * w, 1}, 0.25f);
  const std::vector<float> want = run(model_of(direct, {{"b", b}, {"w", m}}, {1, c, h, w}));
  // The same network, its constants written in the other order.
  Tensor b_turned = b, m_turned = m;
  for (int64_t pixel = 0; pixel < h * w; ++pixel) {
    for (int64_t channel = 0; channel < c; ++channel) {
      const auto to = static_cast<size_t>(pixel * c + channel);
      const auto from = static_cast<size_t>(channel * h * w + pixel);
      b_turned.floats[to] = b.floats[from];
      m_turned.floats[to] = m.floats[from];
    }
  }
  const std::vector<float> got =
      run(model_of(turned, {{"b", b_turned}, {"w", m_turned}}, {1, c, h, w}));
  EXPECT_EQ(got, want);
  EXPECT_NE(run(model_of(turned, {{"b", b}, {"w", m}}, {1, c, h, w})), want);
}

TEST(OnnxLayout, AConvolutionAcrossOtherAxesIsRefused) {
  expect_refused(model_of({node("Transpose", {"x"}, {"t"}, {{"perm", ints({0, 2, 1, 3})}}),
                           node("Conv", {"t", "w"}, {"y"})},
                          {{"w", counting({1, 4, 1, 1})}}),
                 kUnsupported, "expected an input of axes (n,c,h,w), got (n,h,c,w)");
}

TEST(OnnxWindows, PadsOfTheirOwnMergeIntoConvAndCountInAverages) {
  const Node pad = node("Pad", {"x", "p"}, {"a"});
  const Tensor pads = int_tensor({0, 0, 0, 0, 0, 0, 1, 1});
  const std::map<std::string, Tensor> tensors = {{"p", pads}, {"w", counting({1, 3, 2, 2})}};
  const ModelData conv = import(model_of({pad, node("Conv", {"a", "w"}, {"y"})}, tensors));
  EXPECT_THAT(ops(conv), ElementsAre("conv2d"));
  EXPECT_THAT(conv.graph.nodes[0].attrs.find("pads")->ints, ElementsAre(0, 0, 1, 1));
  const Node pool = node("AveragePool", {"a"}, {"y"}, {{"kernel_shape", ints({2, 2})}});
  const ModelData average = import(model_of({pad, pool}, {{"p", pads}}));
  EXPECT_THAT(ops(average), ElementsAre("avg_pool2d"));
  EXPECT_EQ(average.graph.nodes[0].attrs.get_int("count_include_pad"), 1);
  EXPECT_THAT(ops(import(model_of({pad, node("Relu", {"a"}, {"r"}), node("Conv", {"a", "w"}, {"c"}),
                                   node("Sub", {"c", "c"}, {"z"})},
                                  tensors))),
              ElementsAre("conv2d", "batchnorm", "add"));
}

TEST(OnnxWindows, PaddingIsNotCountedUnlessTheFileSaysSo) {
  const auto counted = [](std::map<std::string, Attribute> attributes) {
    attributes.emplace("kernel_shape", ints({2, 2}));
    attributes.emplace("pads", ints({1, 1, 1, 1}));
    return import(model_of({node("AveragePool", {"x"}, {"y"}, attributes)}))
        .graph.nodes[0]
        .attrs.get_int("count_include_pad");
  };
  EXPECT_EQ(counted({}), 0);
  EXPECT_EQ(counted({{"count_include_pad", an_int(1)}}), 1);
}

TEST(OnnxWindows, AWindowOfTheWholeMapIsTheGlobalAverage) {
  const ModelData model =
      import(model_of({node("AveragePool", {"x"}, {"a"}, {{"kernel_shape", ints({4, 4})}}),
                       node("Flatten", {"a"}, {"y"})}));
  EXPECT_THAT(ops(model), ElementsAre("global_avg_pool"));
}

// As Inception's of opset 9, with an input so small that its last maps are pixels.
TEST(OnnxWindows, APixelPaddedToTheWindowIsStillAMap) {
  const Tensor pads = int_tensor({0, 0, 1, 1, 0, 0, 1, 1});
  const std::vector<Node> nodes = {
      node("Pad", {"x", "p"}, {"a"}),
      node("AveragePool", {"a"}, {"b"}, {{"kernel_shape", ints({3, 3})}}),
      node("Concat", {"x", "b"}, {"y"}, {{"axis", an_int(1)}}),
  };
  const ModelData model = import(model_of(nodes, {{"p", pads}}, {1, 1, 1, 1}));
  ASSERT_THAT(ops(model), ElementsAre("avg_pool2d", "concat"));
  EXPECT_EQ(model.graph.nodes[0].attrs.get_int("count_include_pad"), 1);
}

TEST(OnnxWindows, SameLowerPutsTheOddPixelFirst) {
  const auto padded = [](const char* mode) {
    const std::vector<Node> nodes = {
        node("Conv", {"x", "w"}, {"y"}, {{"auto_pad", a_string(mode)}})};
    const ModelData model =
        import(model_of(nodes, {{"w", numbers({1, 1, 1, 2}, {1, 10})}}, {1, 1, 1, 2}));
    return run(model);
  };
  EXPECT_THAT(padded("SAME_UPPER"), ElementsAre(1, 0.1f));
  EXPECT_THAT(padded("SAME_LOWER"), ElementsAre(0, 1));
  EXPECT_THAT(padded("VALID"), ElementsAre(1));
}

TEST(OnnxLinear, ConvolutionsOfPooledValuesAreMatrixProducts) {
  const ModelData model = import(
      model_of({node("GlobalAveragePool", {"x"}, {"p"}), node("Conv", {"p", "w", "b"}, {"s"}),
                node("Sigmoid", {"s"}, {"g"}), node("Mul", {"x", "g"}, {"y"})},
               {{"w", counting({3, 3, 1, 1})}, {"b", counting({3})}}));
  EXPECT_THAT(ops(model), ElementsAre("global_avg_pool", "linear", "sigmoid", "mul"));
}

TEST(OnnxLinear, ABiasOfItsOwnBelongsToTheProduct) {
  const ModelData model = import(
      model_of({node("MatMul", {"x", "w"}, {"m"}), node("Add", {"b", "m"}, {"y"})},
               {{"w", numbers({2, 2}, {1, 2, 3, 4})}, {"b", numbers({2}, {10, 20})}}, {1, 2}));
  EXPECT_THAT(ops(model), ElementsAre("linear"));
  EXPECT_THAT(run(model), Pointwise(FloatEq(), {10.3f, 20.4f}));
}

TEST(OnnxLinear, GemmScalesBothItsConstants) {
  const std::map<std::string, Tensor> tensors = {{"w", numbers({2, 2}, {1, 2, 3, 4})},
                                                 {"c", numbers({1, 2}, {10, 20})}};
  const auto gemm = [&](int64_t transposed) {
    return run(model_of(
        {node("Gemm", {"x", "w", "c"}, {"y"},
              {{"alpha", a_float(2)}, {"beta", a_float(0.5f)}, {"transB", an_int(transposed)}})},
        tensors, {1, 2}));
  };
  EXPECT_THAT(gemm(0), Pointwise(FloatEq(), {5.6f, 10.8f}));
  EXPECT_THAT(gemm(1), Pointwise(FloatEq(), {5.4f, 10.8f}));
}

TEST(OnnxShapes, ArithmeticOnShapesFoldsAway) {
  const ModelData model =
      import(model_of({node("Shape", {"x"}, {"s"}), node("Gather", {"s", "0"}, {"n"}),
                       node("Unsqueeze", {"n", "axes"}, {"u"}),
                       node("Concat", {"u", "-1"}, {"to"}, {{"axis", an_int(0)}}),
                       node("Reshape", {"x", "to"}, {"y"})},
                      {{"0",
                        [] {
                          Tensor t = int_tensor({0});
                          t.dims = {};
                          return t;
                        }()},
                       {"axes", int_tensor({0})},
                       {"-1", int_tensor({-1})}}));
  EXPECT_THAT(ops(model), ElementsAre("flatten"));
}

// Pads as PyTorch's exporter computes them for TensorFlow's SAME: reversed by a negative step.
TEST(OnnxShapes, SlicesCountDownwards) {
  const ModelData model = import(model_of(
      {node("Slice", {"p", "from", "to", "axis", "step"}, {"r"}), node("Pad", {"x", "r"}, {"y"})},
      {{"p", int_tensor({4, 3, 0, 0, 2, 1, 0, 0})},
       {"from", int_tensor({-1})},
       {"to", int_tensor({INT64_MIN})},
       {"axis", int_tensor({0})},
       {"step", int_tensor({-1})}}));
  EXPECT_THAT(ops(model), ElementsAre("pad"));
  EXPECT_THAT(model.graph.nodes[0].attrs.find("pads")->ints, ElementsAre(1, 2, 3, 4));
}

TEST(OnnxShapes, ACutOfRowsAndColumnsIsAPadOfLessThanNothing) {
  const ModelData model = import(model_of(
      {node("Slice", {"x", "from", "to", "axes"}, {"y"})},
      {{"from", int_tensor({0, 1})}, {"to", int_tensor({-1, 4})}, {"axes", int_tensor({2, 3})}}));
  EXPECT_THAT(model.graph.nodes[0].attrs.find("pads")->ints, ElementsAre(0, -1, -1, 0));
}

TEST(OnnxShapes, PartsOfTheChannelsAreSlices) {
  const ModelData model = import(
      model_of({node("Split", {"x"}, {"a", "b"}, {{"axis", an_int(1)}, {"num_outputs", an_int(2)}}),
                node("Concat", {"b", "a"}, {"y"}, {{"axis", an_int(-3)}})},
               {}, {1, 3, 1, 1}, 18));
  EXPECT_THAT(ops(model), ElementsAre("slice", "slice", "concat"));
  EXPECT_THAT(run(model), ElementsAre(0.2f, 0, 0.1f));
}

// Inception's own normalisation of images: channel by channel.
TEST(OnnxShapes, AChannelTakenOutAndPutBackIsASlice) {
  Tensor index = int_tensor({-1});
  index.dims = {};
  const ModelData model =
      import(model_of({node("Gather", {"x", "i"}, {"g"}, {{"axis", an_int(1)}}),
                       node("Unsqueeze", {"g", "axes"}, {"u"}),
                       node("Concat", {"u", "x"}, {"y"}, {{"axis", an_int(1)}})},
                      {{"i", index}, {"axes", int_tensor({1})}}, {1, 2, 1, 1}));
  EXPECT_THAT(ops(model), ElementsAre("slice", "concat"));
  EXPECT_THAT(run(model), ElementsAre(0.1f, 0, 0.1f));
}

TEST(OnnxShapes, ChannelsInAnotherOrderAreJoinedSlices) {
  const auto picked = [](std::vector<int64_t> channels) {
    return import(model_of({node("Gather", {"x", "i"}, {"y"}, {{"axis", an_int(1)}})},
                           {{"i", int_tensor(std::move(channels))}}, {1, 3, 1, 1}));
  };
  EXPECT_THAT(ops(picked({2, 1, 0})), ElementsAre("slice", "slice", "slice", "concat"));
  EXPECT_THAT(run(picked({2, 1, 0})), ElementsAre(0.2f, 0.1f, 0));
  EXPECT_THAT(ops(picked({-2, -1, 0, 0})), ElementsAre("slice", "slice", "slice", "concat"));
  EXPECT_THAT(run(picked({-2, -1, 0, 0})), ElementsAre(0.1f, 0.2f, 0, 0));
  EXPECT_THAT(ops(picked({1})), ElementsAre("slice"));
  const auto sliced = [](int64_t from, int64_t to, int64_t step) {
    return run(model_of({node("Slice", {"x", "from", "to", "axis", "step"}, {"y"})},
                        {{"from", int_tensor({from})},
                         {"to", int_tensor({to})},
                         {"axis", int_tensor({1})},
                         {"step", int_tensor({step})}},
                        {1, 3, 1, 1}));
  };
  EXPECT_THAT(sliced(-1, INT64_MIN, -1), ElementsAre(0.2f, 0.1f, 0));
  EXPECT_THAT(sliced(0, 3, 2), ElementsAre(0, 0.2f));
}

TEST(OnnxShapes, ChannelsOfAFlattenedMapKeepTheirOrder) {
  const auto picked = [](std::vector<int64_t> channels) {
    return model_of(
        {node("Transpose", {"x"}, {"t"}, {{"perm", ints({0, 2, 3, 1})}}),
         node("Flatten", {"t"}, {"f"}), node("Gather", {"f", "i"}, {"y"}, {{"axis", an_int(1)}})},
        {{"i", int_tensor(std::move(channels))}}, {1, 3, 2, 1});
  };
  expect_refused(picked({0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5}), StatusCode::kFormatUnsupported,
                 "expected no flattened map");
  expect_refused(picked({5, 0}), StatusCode::kFormatUnsupported, "expected a map");
}

TEST(OnnxShapes, SoftmaxFlattensBeforeOpset13) {
  const std::vector<Node> nodes = {node("Softmax", {"x"}, {"y"}, {{"axis", an_int(1)}})};
  EXPECT_THAT(ops(import(model_of(nodes, {}, {1, 3}, 12))), ElementsAre("softmax"));
  EXPECT_THAT(ops(import(model_of(nodes, {}, {1, 3}, 13))), ElementsAre("softmax"));
  expect_refused(model_of(nodes, {}, {1, 3, 4, 4}, 12), kUnsupported, "over the channels");
}

}  // namespace
}  // namespace penult::converters::onnx
