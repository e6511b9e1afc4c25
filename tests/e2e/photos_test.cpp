// From the photo file to the features at 224 pixels: decoding, resizing and normalising give the
// very pixels that PyTorch saw, the blocks equal PyTorch's, and the head names what is in the
// picture.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <set>

#include "tests/support/golden.h"
#include "tests/support/real_nets.h"

namespace penult {
namespace {

using testing::Golden;
using testing::Maps;
using testing::RealNet;
using testing::Target;

constexpr int64_t kSize = 224;

class Photos : public ::testing::TestWithParam<std::tuple<RealNet, Target>> {
 protected:
  void SetUp() override {
    if (!is_supported(target().isa)) {
      GTEST_SKIP() << "this machine lacks " << isa_name(target().isa);
    }
    testing::skip_without_assets();
    if (IsSkipped() || HasFatalFailure()) return;
    auto golden = testing::load_golden(std::string(net().name) + "_224");
    ASSERT_TRUE(golden.ok()) << golden.status().message();
    golden_ = std::move(golden).value();
    ASSERT_EQ(golden_.size, kSize);
    model_ = testing::load_real_net(net(), testing::Through::kMemory);
    ASSERT_NE(model_, nullptr);
    ASSERT_EQ(model_->input_h(), kSize);
    ASSERT_EQ(model_->input_w(), kSize);
  }

  const RealNet& net() const { return std::get<0>(GetParam()); }
  const Target& target() const { return std::get<1>(GetParam()); }

  // The photo as the model's own preprocessing crops it. Empty after a test failure.
  Image crop(const std::string& photo) const {
    const auto image = testing::load_photo(photo);
    EXPECT_TRUE(image.ok()) << image.status().message();
    if (!image.ok()) return {};
    auto cropped = resize_and_crop(*image, model_->preprocess());
    EXPECT_TRUE(cropped.ok()) << cropped.status().message();
    return cropped.ok() ? *cropped : Image{};
  }

  std::vector<float> normalized(const Image& image) const {
    std::vector<float> input(image.rgb.size());
    normalize_to_chw(image, model_->preprocess(), input);
    return input;
  }

  void expect_golden_blocks(const Image& image, const char* source) {
    const auto blocks = model_->resolve("blocks");
    ASSERT_TRUE(blocks.ok()) << blocks.status().message();
    const Maps maps = testing::extract(model_, {*blocks, target(), kSize}, normalized(image));
    testing::Worst worst;
    for (size_t i = 0; i < maps.outputs.size(); ++i) {
      const OutputInfo& output = maps.outputs[i];
      const auto* want = golden_.find(output.name);
      ASSERT_NE(want, nullptr) << output.name << ": the golden lacks this tap";
      const auto agreement = testing::compare(*want, maps.values[i], output.dims[0]);
      ASSERT_TRUE(agreement.ok()) << agreement.status().message();
      EXPECT_TRUE(agreement->within_tolerance()) << output.name << ": " << agreement->to_string();
      worst.add(output.name, *agreement);
    }
    EXPECT_EQ(maps.outputs.size(), golden_.taps.size());
    std::cout << net().name << " " << target().name() << " at 224 from " << source << ": "
              << worst.to_string() << "\n";
  }

  Golden golden_;
  std::shared_ptr<const Model> model_;
};

TEST_P(Photos, HaveAGoldenForEveryBlock) {
  const auto blocks = model_->resolve("blocks");
  ASSERT_TRUE(blocks.ok()) << blocks.status().message();
  std::set<std::string> golden;
  for (const auto& tap : golden_.taps) golden.insert(tap.name);
  EXPECT_EQ(std::set<std::string>(blocks->begin(), blocks->end()), golden);
}

TEST_P(Photos, BecomeThePixelsThatPyTorchSaw) {
  const Image image = crop("coffee.png");
  EXPECT_EQ(image.h, kSize);
  EXPECT_EQ(image.w, kSize);
  EXPECT_TRUE(image.rgb == golden_.pixels);
}

TEST_P(Photos, BlocksEqualPyTorchFromStoredPixels) {
  expect_golden_blocks({.h = kSize, .w = kSize, .rgb = golden_.pixels}, "pixels");
}

TEST_P(Photos, BlocksEqualPyTorchFromTheFile) {
  expect_golden_blocks(crop("coffee.png"), "the file");
}

INSTANTIATE_TEST_SUITE_P(RealNets, Photos,
                         ::testing::Combine(::testing::ValuesIn(testing::real_nets().begin(),
                                                                testing::real_nets().end()),
                                            ::testing::ValuesIn(testing::all_targets())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  std::get<1>(test.param).name();
                         });

// Only EfficientNet-Lite0's weights come with a classifier.
class Head : public Photos {
 protected:
  std::vector<double> probabilities(const std::string& photo) const {
    const Maps maps =
        testing::extract(model_, {{"classifier"}, target(), kSize}, normalized(crop(photo)));
    if (maps.values.empty()) return {};
    const std::vector<float>& logits = maps.values[0];
    const double largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    std::vector<double> out;
    double sum = 0;
    for (const float logit : logits) {
      out.push_back(std::exp(static_cast<double>(logit) - largest));
      sum += out.back();
    }
    for (double& p : out) p /= sum;
    return out;
  }
};

TEST_P(Head, NamesWhatIsInThePicture) {
  const std::map<std::string, std::set<int64_t>> expected = {
      {"chelsea.png", {281, 282, 285}},  // tabby, tiger cat, Egyptian cat
      {"coffee.png", {967}},             // espresso
      {"rocket.jpg", {657}},             // missile
  };
  ASSERT_EQ(golden_.probabilities.size(), expected.size());
  for (const auto& [photo, want] : golden_.probabilities) {
    ASSERT_EQ(expected.count(photo), 1u) << photo;
    const std::vector<double> got = probabilities(photo);
    ASSERT_EQ(got.size(), want.size()) << photo;
    ASSERT_EQ(got.size(), 1000u);
    double worst = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double difference = std::abs(got[i] - static_cast<double>(want[i]));
      ASSERT_LE(difference, testing::kMaxProbabilityError) << photo << ", class " << i;
      worst = std::max(worst, difference);
    }
    const int64_t top = std::max_element(got.begin(), got.end()) - got.begin();
    EXPECT_EQ(expected.at(photo).count(top), 1u) << photo << " is taken for class " << top;
    std::cout << target().name() << " " << photo << ": class " << top << ", probability "
              << got[static_cast<size_t>(top)] << ", worst difference " << worst << "\n";
  }
}

INSTANTIATE_TEST_SUITE_P(RealNets, Head,
                         ::testing::Combine(::testing::Values(testing::real_nets()[1]),
                                            ::testing::ValuesIn(testing::all_targets())),
                         [](const auto& test) { return std::get<1>(test.param).name(); });

}  // namespace
}  // namespace penult
