#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "converters/importer.h"
#include "engine/model/model_data.h"

namespace penult::converters {
namespace {

using ::testing::HasSubstr;

// Tensors of MobileNetV2 with two channels everywhere, under torchvision's numbering or the older
// one.
class MobilenetTensors {
 public:
  explicit MobilenetTensors(bool torchvision) {
    add("features.0.0.weight", {2, 3, 3, 3});
    norm("features.0.1");
    for (int i = 1; i <= 17; ++i) block(i, torchvision);
    add("features.18.0.weight", {2, 2, 1, 1});
    norm("features.18.1");
    add("classifier.1.weight", {5, 2});
    add("classifier.1.bias", {5});
  }

  NamedTensor& operator[](const std::string& name) {
    return *std::find_if(dict_.tensors.begin(), dict_.tensors.end(),
                         [&](const NamedTensor& t) { return t.name == name; });
  }
  void remove(const std::string& name) { dict_.tensors.erase(position(name)); }
  void add(const std::string& name, std::vector<int64_t> dims) {
    size_t elems = 1;
    for (const int64_t dim : dims) elems *= static_cast<size_t>(dim);
    dict_.tensors.push_back({name, std::move(dims), std::vector<float>(elems, 0.5f), false});
  }
  StateDict take() { return std::move(dict_); }
  const StateDict& dict() const { return dict_; }

 private:
  std::vector<NamedTensor>::iterator position(const std::string& name) {
    return std::find_if(dict_.tensors.begin(), dict_.tensors.end(),
                        [&](const NamedTensor& t) { return t.name == name; });
  }
  void norm(const std::string& name) {
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
      add(name + part, {2});
    }
    dict_.tensors.push_back({name + ".num_batches_tracked", {}, {}, true});
  }
  void block(int index, bool torchvision) {
    const std::string conv = "features." + std::to_string(index) + ".conv.";
    const auto layer = [&](int place, std::vector<int64_t> dims, bool last) {
      const std::string number = std::to_string(torchvision ? place : 3 * place);
      const std::string next = std::to_string(torchvision ? place + 1 : 3 * place + 1);
      const bool nested = torchvision && !last;
      add(conv + number + (nested ? ".0" : "") + ".weight", std::move(dims));
      norm(conv + (nested ? number + ".1" : next));
    };
    int place = 0;
    if (index > 1) layer(place++, {2, 2, 1, 1}, false);
    layer(place++, {2, 1, 3, 3}, false);
    layer(place, {2, 2, 1, 1}, true);
  }

  StateDict dict_;
};

const Architecture& mobilenet() { return all_architectures()[0]; }

void expect_refused(MobilenetTensors tensors, const std::string& words) {
  const auto model = mobilenet().build(tensors.take());
  EXPECT_EQ(model.status().code(), StatusCode::kModelInvalid);
  EXPECT_THAT(model.status().message(), HasSubstr(words));
}

TEST(MobilenetV2, BothNumberingsGiveTheSameNetwork) {
  auto a = mobilenet().build(MobilenetTensors(true).take());
  auto b = mobilenet().build(MobilenetTensors(false).take());
  ASSERT_TRUE(a.ok()) << a.status().message();
  ASSERT_TRUE(b.ok()) << b.status().message();
  ASSERT_EQ(a->taps.size(), b->taps.size());
  for (size_t i = 0; i < a->taps.size(); ++i) EXPECT_EQ(a->taps[i].name, b->taps[i].name);
}

TEST(MobilenetV2, IsRecognisedByItsNames) {
  for (const bool torchvision : {true, false}) {
    const MobilenetTensors tensors(torchvision);
    EXPECT_TRUE(mobilenet().recognises(tensors.dict()));
    EXPECT_FALSE(all_architectures()[1].recognises(tensors.dict()));
  }
  EXPECT_FALSE(mobilenet().recognises({}));
  MobilenetTensors shorter(true);
  shorter.remove("features.18.0.weight");
  EXPECT_FALSE(mobilenet().recognises(shorter.dict()));
}

TEST(MobilenetV2, ResolvesTheNamesOfPlaces) {
  auto model = mobilenet().build(MobilenetTensors(true).take());
  ASSERT_TRUE(model.ok());
  const auto one = [&](const std::string& name) {
    const auto taps = resolve_tap(*model, name);
    return taps.ok() ? model->taps[static_cast<size_t>(taps->front())].name : "none";
  };
  EXPECT_EQ(one("penultimate"), "adaptive_avg_pool2d");
  EXPECT_EQ(one("features.2"), one("features.2.conv.3"));
  EXPECT_EQ(one("features.18"), "features.18");
  EXPECT_EQ(one("-1"), one("4"));
  EXPECT_EQ(resolve_tap(*model, "blocks")->size(), 19u);
}

TEST(NetBuilder, TheErrorNamesTheFirstTensorThatDoesNotFit) {
  MobilenetTensors tensors(true);
  tensors.remove("features.9.conv.2.weight");
  tensors["features.12.conv.2.weight"].dims = {4, 1, 1, 1};
  expect_refused(std::move(tensors), "tensor \"features.9.conv.2.weight\" is missing");
}

TEST(NetBuilder, AMisshapenTensorIsNamedWithBothShapes) {
  MobilenetTensors tensors(true);
  tensors["features.5.conv.3.bias"].dims = {1, 2};
  expect_refused(std::move(tensors), "\"features.5.conv.3.bias\" has shape (1,2), expected (2)");
}

TEST(NetBuilder, ATensorThatNoLayerUsesIsAnError) {
  MobilenetTensors tensors(true);
  tensors.add("features.0.0.lora\n", {2});
  expect_refused(std::move(tensors), "\"features.0.0.lora\\x0a\" of shape (2) is used by no layer");
}

TEST(NetBuilder, AClassifierIsOptionalButNotItsBias) {
  MobilenetTensors headless(true);
  headless.remove("classifier.1.weight");
  headless.remove("classifier.1.bias");
  EXPECT_TRUE(mobilenet().build(headless.take()).ok());
  MobilenetTensors damaged(true);
  damaged.remove("classifier.1.bias");
  expect_refused(std::move(damaged), "tensor \"classifier.1.bias\" is missing");
}

TEST(NetBuilder, CountersMayBeMissingButNotBeFloats) {
  MobilenetTensors without(true);
  without.remove("features.0.1.num_batches_tracked");
  EXPECT_TRUE(mobilenet().build(without.take()).ok());
  MobilenetTensors strange(true);
  strange["features.0.1.num_batches_tracked"] = {
      "features.0.1.num_batches_tracked", {}, {1.0f}, false};
  expect_refused(std::move(strange), "num_batches_tracked\" of shape () is used by no layer");
}

TEST(NetBuilder, NumbersMustBeFiniteAndVariancesNotNegative) {
  MobilenetTensors nan(true);
  nan["features.3.conv.2.weight"].data[2] = NAN;
  expect_refused(std::move(nan), "1 of its 4 numbers are not finite, the first is number 2");
  MobilenetTensors negative(true);
  negative["features.3.conv.3.running_var"].data[1] = -0.25f;
  expect_refused(std::move(negative), "a variance of -0.25");
}

TEST(NetBuilder, IntegersAreNoWeights) {
  MobilenetTensors tensors(true);
  tensors["features.0.0.weight"].is_counter = true;
  expect_refused(std::move(tensors), "of integers");
}

}  // namespace
}  // namespace penult::converters
