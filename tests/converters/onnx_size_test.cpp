// Files that leave the size of their input open: the model that was made for one size is the file's
// network at others, too, or is refused there.

#include <gmock/gmock.h>

#include <regex>

#include "engine/graph/graph.h"
#include "engine/input_size.h"
#include "tests/converters/onnx_models.h"

namespace penult::converters::onnx {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMadeFor = 8, kOther = 11;

struct Case {
  const char* name;
  bool any_size;  // the graph is the file's network at every size
  std::vector<Node> nodes;
  std::map<std::string, Tensor> tensors = {};
};

std::map<std::string, Attribute> window(int64_t kernel, int64_t stride, const char* auto_pad) {
  return {{"kernel_shape", ints({kernel, kernel})},
          {"strides", ints({stride, stride})},
          {"auto_pad", a_string(auto_pad)}};
}

Node slice(const char* steps = "") {
  std::vector<std::string> inputs = {"x", "starts", "ends", "axes"};
  if (*steps != '\0') inputs.emplace_back(steps);
  return node("Slice", inputs, {"y"});
}

std::map<std::string, Tensor> rows(int64_t start, int64_t end, int64_t step = 1) {
  return {{"starts", int_tensor({start})},
          {"ends", int_tensor({end})},
          {"axes", int_tensor({2})},
          {"steps", int_tensor({step})}};
}

// Pads of a computed number of rows, as exporters write TensorFlow's SAME.
std::vector<Node> pads_of_shape() {
  return {node("Shape", {"x"}, {"shape"}), node("Gather", {"shape", "two"}, {"h"}),
          node("Sub", {"twelve", "h"}, {"missing"}),
          node("Concat", {"zeros", "missing", "zero"}, {"pads"}, {{"axis", an_int(0)}}),
          node("Pad", {"x", "pads"}, {"y"})};
}

std::vector<Case> all_cases() {
  const auto pool = [](int64_t kernel, int64_t stride, const char* auto_pad) {
    return std::vector{node("MaxPool", {"x"}, {"y"}, window(kernel, stride, auto_pad))};
  };
  const auto relu_of = [](Node first) {
    return std::vector{std::move(first), node("Relu", {"y"}, {"z"})};
  };
  return {
      {"Valid", true, pool(3, 2, "VALID")},
      {"SameUpper", true, pool(3, 2, "SAME_UPPER")},
      {"SameLower", false, pool(3, 2, "SAME_LOWER")},
      {"SameLowerOfStrideOne", true, pool(2, 1, "SAME_LOWER")},
      {"GlobalMaxPool", false, {node("GlobalMaxPool", {"x"}, {"y"})}},
      {"GlobalAveragePool", true, {node("GlobalAveragePool", {"x"}, {"y"})}},
      {"AveragePoolOfTheMap",
       false,
       {node("AveragePool", {"x"}, {"y"}, {{"kernel_shape", ints({kMadeFor, kMadeFor})}})}},
      {"RowsFromTheSecond", true, relu_of(slice()), rows(1, INT64_MAX)},
      {"RowsToTheLastButOne", true, relu_of(slice()), rows(0, -1)},
      {"TheFirstRows", false, relu_of(slice()), rows(0, 4)},
      {"AsManyRowsAsThereAre", false, relu_of(slice()), rows(0, kMadeFor)},
      {"TheLastRows", false, relu_of(slice()), rows(-4, INT64_MAX)},
      {"EverySecondRow", false, relu_of(slice("steps")), rows(0, INT64_MAX, 2)},
      {"PadsOfShape",
       false,
       pads_of_shape(),
       {{"two", int_tensor({2})},
        {"twelve", int_tensor({12})},
        {"zeros", int_tensor({0, 0, 0, 0, 0, 0})},
        {"zero", int_tensor({0})}}},
      {"FlattenAtOnePixel",
       true,
       {node("MaxPool", {"x"}, {"p"}, window(kMadeFor, 1, "VALID")), node("Flatten", {"p"}, {"f"}),
        node("Softmax", {"f"}, {"y"})}},
      {"FlattenByShape",
       true,
       {node("GlobalAveragePool", {"x"}, {"p"}), node("Shape", {"x"}, {"shape"}),
        node("Gather", {"shape", "zero"}, {"n"}),
        node("Concat", {"n", "rest"}, {"to"}, {{"axis", an_int(0)}}),
        node("Reshape", {"p", "to"}, {"y"})},
       {{"zero", int_tensor({0})}, {"rest", int_tensor({-1})}}},
  };
}

ModelData made_for(const Case& c, int64_t side) {
  auto source = import_model(model_of(c.nodes, c.tensors, {-1, 3, -1, -1}), {.h = side, .w = side});
  EXPECT_TRUE(source.ok()) << source.status().message();
  return source.ok() ? std::move(source->model) : ModelData();
}

// Of what flattens a single pixel the file has no name.
std::string layers_of(const Graph& graph) {
  const std::regex own_name("penult\\.flatten_[0-9]+");
  return std::regex_replace(dump(graph), own_name, "f");
}

class OnnxSizes : public ::testing::TestWithParam<Case> {};

TEST_P(OnnxSizes, OtherThanThatOfTheModelAreRightOrRefused) {
  ModelData model = made_for(GetParam(), kMadeFor);
  const ModelData other = made_for(GetParam(), kOther);
  EXPECT_EQ(model.info.fixed_size, !GetParam().any_size);
  const Status own = set_input_size(model, kMadeFor, kMadeFor, model.graph);
  EXPECT_TRUE(own.ok()) << own.message();
  const Status status = set_input_size(model, kOther, kOther, model.graph);
  if (GetParam().any_size) {
    EXPECT_TRUE(status.ok()) << status.message();
    EXPECT_EQ(layers_of(model.graph), layers_of(other.graph));
    EXPECT_THAT(model.info.note, IsEmpty());
  } else {
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("input size 11x11: it was made for 8x8 only"));
    EXPECT_NE(layers_of(model.graph), layers_of(other.graph));
    EXPECT_THAT(model.info.note, HasSubstr("for 8x8 pixels only: node \""));
    EXPECT_THAT(model.info.note, EndsWith("convert it again for each of them"));
  }
}

// A larger map is refused where the file joins channels and not pixels.
TEST(OnnxSize, OfAMapOfOnePixelIsLargerElsewhere) {
  const std::vector<Node> nodes = {node("MaxPool", {"x"}, {"p"}, window(kMadeFor, 1, "VALID")),
                                   node("Softmax", {"p"}, {"y"}, {{"axis", an_int(1)}})};
  EXPECT_TRUE(made_for({"", false, nodes}, kMadeFor).info.fixed_size);
  expect_refused(model_of(nodes, {}, {-1, 3, -1, -1}), StatusCode::kFormatUnsupported,
                 "expected a vector or a single pixel", {.h = kOther, .w = kOther});
}

INSTANTIATE_TEST_SUITE_P(All, OnnxSizes, ::testing::ValuesIn(all_cases()),
                         [](const auto& of) { return std::string(of.param.name); });

}  // namespace
}  // namespace penult::converters::onnx
