// ONNX models: what is read, what is refused, and that no damage goes unnoticed or does harm.

#include <gmock/gmock.h>

#include "converters/onnx/read_model_node.h"
#include "tests/converters/onnx_file_writer.h"
#include "tests/support/allocations.h"

namespace penult::converters::onnx::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using Kind = Attribute::Kind;

class OnnxFile : public ::testing::Test {
 protected:
  OnnxModel read(const std::string& content) const {
    auto result = folder_.read(content);
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? std::move(*result) : OnnxModel{};
  }
  void expect_error(const std::string& content, StatusCode code, const std::string& text) const {
    const Status status = folder_.read(content).status();
    EXPECT_EQ(status.code(), code) << status.message();
    EXPECT_THAT(status.message(), HasSubstr(text));
  }
  void expect_corrupt(const std::string& content, const std::string& text) const {
    expect_error(content, StatusCode::kFormatCorrupt, text);
  }
  void expect_unsupported(const std::string& content, const std::string& text) const {
    expect_error(content, StatusCode::kFormatUnsupported, text);
  }
  Folder folder_;
};

// One of everything that is read.
std::string small_model() {
  const std::string conv =
      node("Conv", {"x", "w", ""}, {"c"},
           bytes(3, "/layer1/layer1.0/conv1/Conv") + bytes(7, "ai.onnx") +
               bytes(5, attribute("pads", 7, packed(8, {1, 1, 1, 1}))) +
               bytes(5, attribute("value", 4,
                                  bytes(5, tensor("", {2}, kF32, raw_data(raw<float>({1, 2})))))));
  const std::string foo = node(
      "Foo", {"c"}, {"y", "z"},
      bytes(7, "com.acme") + bytes(9, entry("pkg.torch.onnx.name_scopes", "['', 'fc', 'foo_1']")));
  const std::string graph =
      graph_node(conv) + graph_node(foo) + bytes(2, "main") +
      initializer(tensor("w", {1, 3, 1, 1}, kF32, raw_data(raw<float>({1, -2, 3})))) +
      graph_input(value("w", {1, 3, 1, 1})) + graph_input(value("x", {-1, 3, 8, 8})) +
      graph_input(value("i", {}, kI64)) + graph_output(value("y", {})) +
      graph_output(value("z", {})) + bytes(13, value("c", {1}));
  return number(1, 8) + bytes(2, "pytorch") + bytes(3, "2.1.0") + bytes(6, "a doc string") +
         bytes(7, graph) + bytes(8, opset(3, "com.acme")) + bytes(8, opset(17));
}

TEST_F(OnnxFile, IsReadWhole) {
  const OnnxModel model = read(small_model());
  EXPECT_EQ(model.ir_version, 8);
  EXPECT_EQ(model.producer, "pytorch 2.1.0");
  EXPECT_EQ(model.opset, 17);
  EXPECT_THAT(model.other_opsets, ElementsAre(Pair("com.acme", 3)));
  EXPECT_THAT(model.outputs, ElementsAre("y", "z"));
  ASSERT_EQ(model.nodes.size(), 2u);
  const Node& conv = model.nodes[0];
  EXPECT_EQ(conv.name, "/layer1/layer1.0/conv1/Conv");
  EXPECT_EQ(conv.op, "Conv");
  EXPECT_EQ(conv.domain, "");
  EXPECT_EQ(conv.module, "layer1.0.conv1");
  EXPECT_THAT(conv.inputs, ElementsAre("x", "w", ""));
  EXPECT_THAT(conv.outputs, ElementsAre("c"));
  EXPECT_EQ(model.nodes[1].domain, "com.acme");
  EXPECT_EQ(model.nodes[1].module, "fc");
  EXPECT_THAT(model.initializers.at("w").dims, ElementsAre(1, 3, 1, 1));
  EXPECT_THAT(model.initializers.at("w").floats, ElementsAre(1, -2, 3));
}

// IR versions below 4 demand an input for each initializer.
TEST_F(OnnxFile, InputsAreThoseWithoutAnInitializer) {
  const OnnxModel model = read(small_model());
  ASSERT_EQ(model.inputs.size(), 2u);
  EXPECT_EQ(model.inputs[0].name, "x");
  EXPECT_EQ(model.inputs[0].type, "");
  EXPECT_THAT(model.inputs[0].dims, ElementsAre(-1, 3, 8, 8));
  EXPECT_EQ(model.inputs[1].name, "i");
  EXPECT_EQ(model.inputs[1].type, "int64");
  EXPECT_TRUE(model.inputs[1].dims.empty());
}

TEST_F(OnnxFile, AttributesOfEveryKind) {
  const std::string all =
      bytes(5, attribute("f", 1, float_field(2, 0.5f))) +
      bytes(5, attribute("i", 2, number(3, -7))) + bytes(5, attribute("s", 3, bytes(4, "a\xff"))) +
      bytes(5, attribute("t", 4, bytes(5, tensor("", {}, kI64, packed(7, {9}))))) +
      bytes(5, attribute("fs", 6, float_field(7, 1) + float_field(7, 2))) +
      bytes(5, attribute("is", 7, unpacked(8, {3, -4}))) +
      bytes(5, attribute("ss", 8, bytes(9, "a") + bytes(9, ""))) +
      bytes(5, attribute("g", 5, bytes(6, "\xff"))) + bytes(5, attribute("zero", 2, ""));
  const OnnxModel model =
      read(testing::model(graph_node(node("Relu", {"x"}, {"y"}, all)) +
                          graph_input(value("x", {1})) + graph_output(value("y", {}))));
  ASSERT_EQ(model.nodes.size(), 1u);
  const auto& got = model.nodes[0].attributes;
  EXPECT_EQ(got.at("f").f, 0.5f);
  EXPECT_EQ(got.at("i").i, -7);
  EXPECT_EQ(got.at("s").s, "a\xff");
  EXPECT_THAT(got.at("t").tensor.ints, ElementsAre(9));
  EXPECT_THAT(got.at("fs").floats, ElementsAre(1, 2));
  EXPECT_THAT(got.at("is").ints, ElementsAre(3, -4));
  EXPECT_THAT(got.at("ss").strings, ElementsAre("a", ""));
  EXPECT_EQ(got.at("g").kind, Kind::kOther);
  EXPECT_EQ(got.at("zero").kind, Kind::kInt);
  EXPECT_EQ(got.at("zero").i, 0);
}

TEST_F(OnnxFile, AttributesThatContradictThemselvesAreRefused) {
  const auto with = [](const std::string& attributes) {
    return model(graph_node(node("Foo", {"x"}, {"y"}, bytes(3, "n") + attributes)) +
                 graph_input(value("x", {1})) + graph_output(value("y", {})));
  };
  const std::string one = bytes(5, attribute("a", 2, number(3, 1)));
  expect_corrupt(with(one + one), "node \"n\" (Foo), attribute \"a\": it is given twice");
  expect_corrupt(with(bytes(5, attribute("a", 1, number(3, 1)))), "holds a value of type 2");
  expect_corrupt(with(bytes(5, bytes(1, "a") + number(3, 1))), "its type is 0");
  expect_corrupt(with(bytes(5, attribute("a", 15, ""))), "its type is 15");
  expect_unsupported(with(bytes(5, attribute("a", 2, bytes(21, "b")))), "attribute of a function");
  expect_corrupt(with(bytes(5, attribute("a", 4, bytes(5, tensor("", {1}, kF32, ""))))),
                 "attribute \"a\": it holds 0 bytes, expected 4");
}

TEST_F(OnnxFile, VersionsOutsideThoseKnownAreRefused) {
  for (const int64_t ir : {3, 14}) EXPECT_EQ(read(model(relu_graph(), 13, ir)).ir_version, ir);
  for (const int64_t version : {6, 28})
    EXPECT_EQ(read(model(relu_graph(), version)).opset, version);
  for (const int64_t ir : {0, 2, 15, -1}) {
    expect_unsupported(model(relu_graph(), 13, ir), "penult knows 3 to 14");
  }
  for (const int64_t version : {0, 5, 29, -1}) {
    expect_unsupported(model(relu_graph(), version), "penult knows 6 to 28");
  }
  const std::string graph = number(1, 8) + bytes(7, relu_graph());
  expect_corrupt(graph, "does not say the version");
  expect_corrupt(graph + bytes(8, opset(1, "com.acme")), "does not say the version");
  const std::string twice = graph + bytes(8, opset(13)) + bytes(8, opset(13, "ai.onnx"));
  EXPECT_EQ(read(twice).opset, 13);
  expect_corrupt(twice + bytes(8, opset(14)), "\"\" the versions 13 and 14");
  expect_corrupt(bytes(7, relu_graph()) + bytes(8, opset(13)), "no ir_version");
}

TEST_F(OnnxFile, PartsThatAreNotReadAreRefusedByName) {
  expect_unsupported(model(relu_graph()) + bytes(25, ""), "onnx.inliner.inline_local_functions");
  expect_unsupported(model(relu_graph()) + bytes(20, ""), "information for training");
  expect_unsupported(model(relu_graph(bytes(15, ""))), "sparse initializers");
  expect_unsupported(model(relu_graph(initializer(tensor("w", {1}, kF32, bytes(3, ""))))),
                     "a tensor in segments");
}

TEST_F(OnnxFile, InputsAreTensorsWithAShape) {
  const auto with = [](const std::string& input) {
    return model(relu_graph(graph_input(bytes(1, "q") + input)));
  };
  expect_unsupported(with(bytes(2, bytes(4, ""))), "input \"q\" is no tensor");
  expect_unsupported(with(bytes(2, bytes(1, number(1, kF32)))), "input \"q\" has no shape");
  expect_corrupt(model(relu_graph(graph_input(value("q", {})) + graph_input(value("q", {})))),
                 "input \"q\" occurs twice");
  expect_corrupt(with(bytes(2, bytes(1, number(1, kF32) + bytes(2, bytes(1, number(1, -2)))))),
                 "dimension of -2");
}

TEST_F(OnnxFile, EachValueHasOneSource) {
  expect_corrupt(model(relu_graph(graph_node(node("Add", {"y", "v"}, {"z"})))),
                 "node number 1 (Add) reads \"v\", which is no input, no initializer, and yielded "
                 "by no node");
  expect_corrupt(model(relu_graph(graph_node(node("Relu", {"y"}, {"x"})))),
                 "node number 1 (Relu) yields \"x\", which is there already");
  expect_corrupt(model(relu_graph(graph_output(value("z", {})))), "output \"z\"");
  expect_corrupt(model(graph_node(node("Relu", {"x"}, {"y"})) + graph_input(value("x", {}))),
                 "no outputs");
  const std::string w = initializer(tensor("w", {}, kF32, float_field(4, 1)));
  expect_corrupt(model(relu_graph(w + w)), "initializer \"w\" occurs twice");
  expect_corrupt(model(relu_graph(initializer(tensor("", {}, kF32, float_field(4, 1))))),
                 "number 0 has no name");
  expect_corrupt(model(relu_graph(graph_input(value("", {1})))), "an input has no name");
  expect_corrupt(model(relu_graph(graph_node(node("", {"y"}, {"z"})))), "has no operator");
}

// As ONNX Runtime's converter to float16 leaves them: what it adds stands at the end.
TEST_F(OnnxFile, NodesAreSortedOnlyWhereTheyHaveTo) {
  const auto order = [&](const std::vector<std::string>& nodes) {
    std::string graph = graph_output(value("y", {})) + graph_input(value("x", {1, 3, 8, 8}));
    for (const std::string& n : nodes) graph += graph_node(n);
    std::string ops;
    for (const Node& n : read(model(graph)).nodes) ops += n.op;
    return ops;
  };
  const std::string a = node("A", {"x"}, {"a"}), b = node("B", {"a"}, {"b"}),
                    c = node("C", {"x", "x"}, {"c"}), d = node("D", {"b", "c"}, {"y"});
  EXPECT_EQ(order({a, b, c, d}), "ABCD");
  EXPECT_EQ(order({c, a, b, d}), "CABD");
  EXPECT_EQ(order({b, c, d, a}), "CABD");
  EXPECT_EQ(order({d, c, b, a}), "CABD");
}

TEST_F(OnnxFile, ACycleIsNoMissingName) {
  const std::string tail = graph_node(node("Tail", {"b", "x"}, {"y"}));
  const auto with = [&](const std::string& nodes) {
    return model(tail + nodes + graph_input(value("x", {1})) + graph_output(value("y", {})));
  };
  expect_corrupt(with(graph_node(node("A", {"b"}, {"a"})) + graph_node(node("B", {"a"}, {"b"}))),
                 "(B) is part of a cycle");
  expect_corrupt(with(graph_node(node("B", {"b"}, {"b"}))), "(B) is part of a cycle");
}

TEST_F(OnnxFile, EncodingsThatNobodyWritesAreRefused) {
  const std::string good = model(relu_graph());
  expect_corrupt("", "empty");
  expect_corrupt("<!DOCTYPE html><html></html>", "no ONNX file");
  expect_corrupt(good + tag(100, 3) + tag(100, 4), "no field of model begins there");  // a group
  expect_corrupt(good + tag(100, 6), "no field of model");
  expect_corrupt(good + std::string("\0\1", 2), "no field of model");
  expect_corrupt(good + tag(100, 0) + std::string(10, '\xff') + '\1', "no field of model");
  expect_corrupt(
      good + tag(100, 2) + varint(UINT64_MAX),
      "a field of model that begins there needs 18446744073709551615 bytes more than are left");
  expect_corrupt(good + bytes(7, ""), "field \"graph\" occurs twice");
  expect_corrupt(bytes(1, "") + good, "field \"ir_version\" has wire type 2");
  expect_corrupt(good + number(2, 1), "field \"producer_name\" has wire type 0");
  for (const auto& [field, name] : {std::pair(1, "dims"), {4, "float_data"}, {10, "double_data"}}) {
    const std::string list =
        field == 1 ? tag(1, 5) + "abcd" : number(static_cast<uint32_t>(field), 1);
    expect_corrupt(model(relu_graph(initializer(list))), name + std::string("\" has wire type"));
  }
  expect_corrupt(good + bytes(2, "\xff"), "no text in UTF-8");
  expect_corrupt(good + bytes(2, std::string("a\0b", 3)), "no text in UTF-8");
  expect_corrupt(model(relu_graph(initializer(tensor("w", {1}, kF32, bytes(4, "abcde"))))),
                 "no whole numbers");
  expect_corrupt(model(relu_graph(initializer(tensor("w", {1}, kI64, bytes(7, "\xff"))))),
                 "initializer number 0 is damaged");
  EXPECT_EQ(read(good + number(100, 7) + bytes(101, "later fields") + tag(102, 5) + "abcd" +
                 tag(103, 1) + "abcdefgh")
                .nodes.size(),
            1u);
}

TEST_F(OnnxFile, CountsAreBoundedBeforeAnythingIsMadeOfThem) {
  const uint64_t before = ::penult::testing::allocation_count().bytes;
  const auto times = [](size_t count, const std::string& what) {
    std::string out;
    for (size_t i = 0; i < count; ++i) out += what;
    return out;
  };
  constexpr StatusCode kLimit = StatusCode::kLimitExceeded;
  expect_error(model(times(65'537, graph_node(""))), kLimit, "\"node\"");
  expect_error(model(times(65'537, initializer(""))), kLimit, "\"initializer\"");
  expect_error(model(graph_node(times(65, bytes(5, "")))), kLimit, "\"attribute\"");
  expect_error(model(graph_node(times(257, bytes(1, "")))), kLimit, "\"input\"");
  const std::string wide = graph_node(times(64, bytes(5, "")));
  expect_error(model(times(4096, wide)), kLimit, "more than 262144 messages");
  const std::string reader = graph_node(times(256, bytes(1, "")));
  expect_error(model(times(2049, reader)), kLimit, "more than 524288 strings");
  expect_error(model(relu_graph(bytes(11, bytes(1, std::string(65'537, 'a'))))), kLimit,
               "65537 bytes");
  if (::penult::testing::kCountsAllocations) {
    EXPECT_LE(::penult::testing::allocation_count().bytes - before, 64u << 20);
  }
}

// Writers keep stack traces there.
TEST_F(OnnxFile, MetadataMayBeOfAnyLength) {
  const std::string trace = bytes(9, entry("stack_trace", std::string(100'000, '\xff')));
  const std::string doc = bytes(6, std::string(100'000, '\xff'));
  EXPECT_EQ(
      read(model(relu_graph(graph_node(node("Relu", {"y"}, {"z"}, trace + doc))))).nodes.size(),
      2u);
}

TEST_F(OnnxFile, EveryTruncationIsNoticed) {
  const std::string whole = small_model();
  for (size_t size = 0; size < whole.size(); ++size) {
    const StatusCode code = folder_.read(whole.substr(0, size)).status().code();
    EXPECT_EQ(code, StatusCode::kFormatCorrupt) << "after " << size << " bytes";
  }
}

TEST_F(OnnxFile, AChangedByteDoesNoHarm) {
  const std::string whole = small_model();
  size_t refused = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    for (const char changed :
         {'\0', '\xff', static_cast<char>(whole[i] ^ 1), static_cast<char>(whole[i] ^ 0x80)}) {
      std::string damaged = whole;
      damaged[i] = changed;
      const auto result = folder_.read(damaged);
      refused += result.ok() ? 0 : 1;
      EXPECT_NE(result.status().code(), StatusCode::kInternal) << "byte " << i;
    }
  }
  EXPECT_GT(refused, 2 * whole.size());
}

TEST(OnnxModules, AreTakenFromNamesOfNodes) {
  EXPECT_EQ(module_of_name("/conv1/Conv"), "conv1");
  EXPECT_EQ(module_of_name("/layer1/layer1.0/conv1/Conv"), "layer1.0.conv1");
  EXPECT_EQ(module_of_name("/layer1/layer1.0/relu_1/Relu"), "layer1.0.relu_1");
  EXPECT_EQ(module_of_name("/features/features.1/conv/conv.0/conv.0.0/Conv"),
            "features.1.conv.0.0");
  EXPECT_EQ(module_of_name("/layer1/layer1.10/Add"), "layer1.10");
  EXPECT_EQ(module_of_name("/layer1/layer10/Add"), "layer1.layer10");
  for (const char* none : {"", "/", "/Flatten", "Conv_0", "conv_1/Conv2D", "//Add", "/a//Add"}) {
    EXPECT_EQ(module_of_name(none), "") << none;
  }
}

TEST(OnnxModules, AreTakenFromScopes) {
  EXPECT_EQ(module_of_scopes("['', 'layer1', 'layer1.0', 'layer1.0.bn1', 'batch_norm_1']"),
            "layer1.0.bn1");
  EXPECT_EQ(module_of_scopes("['', 'flatten']"), "");
  for (const char* none : {"", "[]", "['x']", "['\xff', 'a']", "['', 'a", "'"})
    EXPECT_EQ(module_of_scopes(none), "");
}

TEST(OnnxHead, IsRecognisedByBytesOrName) {
  const auto looks_like = [](std::string_view head, std::string_view path = "model.bin") {
    return is_onnx({reinterpret_cast<const uint8_t*>(head.data()), head.size()}, path);
  };
  EXPECT_TRUE(looks_like(small_model().substr(0, 64)));
  EXPECT_TRUE(looks_like(model(relu_graph()).substr(0, 64)));
  EXPECT_TRUE(looks_like("", "folder/net.onnx"));
  EXPECT_FALSE(looks_like(""));
  EXPECT_FALSE(looks_like(std::string_view("\x08\x08\x12\x07", 4)));
  EXPECT_FALSE(looks_like("\x80\x02\x8a\x0al\xfc\x9c"));
  EXPECT_FALSE(looks_like("PK\x03\x04 and more"));
  // A safetensors file whose header has 0x120808 bytes.
  EXPECT_FALSE(looks_like(std::string_view("\x08\x08\x12\0\0\0\0\0{\"a\":", 13)));
}

}  // namespace
}  // namespace penult::converters::onnx::testing
