// What Model::taps says of the networks that are supported, against what the literature says, and
// what a plan says of memory against an extractor's. The matrices have no numbers here.

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "engine/model/model_data.h"
#include "penult/extractor.h"
#include "tests/support/seeded_nets.h"
#include "tests/support/seeded_weights.h"

namespace penult {
namespace {

std::shared_ptr<const Model> model_of(const std::string& net) {
  auto data = testing::build_without_matrices(net);
  EXPECT_TRUE(data.ok()) << data.status().message();
  auto model = Model::from_data(std::move(data).value());
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *model;
}

TapInfo tap_of(const Model& model, const std::string& name) {
  const auto taps = model.taps();
  const auto main = model.resolve(name);
  EXPECT_TRUE(taps.ok() && main.ok()) << name;
  return *std::find_if(taps->begin(), taps->end(),
                       [&](const TapInfo& tap) { return tap.name == main->front(); });
}

struct Known {
  const char *net, *tap;
  int64_t receptive_field, stride;
};

void PrintTo(const Known& known, std::ostream* out) { *out << known.net << " " << known.tap; }

// Of the MobileNets: Araujo et al. 2019, table 1. Of the BagNets: their names. Of the ResNets, by
// hand: 7/2 and a pooling of 3/2 see 11 pixels 4 apart; then each 3x3 adds twice the stride before
// it. ResNet-50 here strides in the 3x3 convolutions, as torchvision's does; the 483 pixels that
// one also reads are of the original, which strides in the 1x1 before.
constexpr Known kKnown[] = {
    {"resnet18", "maxpool", 11, 4},      {"resnet18", "layer1", 43, 4},
    {"resnet18", "layer2", 99, 8},       {"resnet18", "layer3", 211, 16},
    {"resnet18", "layer4", 435, 32},     {"resnet50", "layer1", 35, 4},
    {"resnet50", "layer2", 91, 8},       {"resnet50", "layer3", 267, 16},
    {"resnet50", "layer4", 427, 32},     {"mobilenet_v2", "features.18", 491, 32},
    {"mobilenetv1_100", "blocks", 7, 2}, {"mobilenetv1_100", "4", 315, 32},
    {"bagnet9", "layer4", 9, 8},         {"bagnet17", "layer4", 17, 8},
    {"bagnet33", "layer4", 33, 8},       {"bagnet33", "layer3", 17, 8},
};

class KnownFields : public ::testing::TestWithParam<Known> {};

TEST_P(KnownFields, Agree) {
  const Known& known = GetParam();
  const TapInfo tap = tap_of(*model_of(known.net), known.tap);
  EXPECT_EQ(tap.receptive_field, known.receptive_field);
  EXPECT_EQ(tap.stride, known.stride);
  EXPECT_FALSE(tap.sees_whole_input);
}

INSTANTIATE_TEST_SUITE_P(Taps, KnownFields, ::testing::ValuesIn(kKnown));

TEST(TapFacts, SqueezeAndExcitationSeesTheWholeInput) {
  const auto model = model_of("mobilenet_v3_large");
  EXPECT_FALSE(tap_of(*model, "features.3").sees_whole_input);
  EXPECT_TRUE(tap_of(*model, "features.4").sees_whole_input);
  EXPECT_EQ(tap_of(*model, "features.4").receptive_field, 224);
  EXPECT_EQ(tap_of(*model, "features.4").stride, 8);
}

TEST(TapFacts, PlannedBytesAreThoseOfTheExtractor) {
  const auto model = testing::seeded_model("mobilenet_v2");
  ASSERT_NE(model, nullptr);
  const auto taps = model->taps();
  ASSERT_TRUE(taps.ok()) << taps.status().message();
  ExtractorOptions options;
  options.max_batch = 1;
  for (size_t t = 0; t < taps->size(); t += 7) {
    options.taps = {(*taps)[t].name};
    const auto planned = Extractor::planned_bytes(model, options);
    const auto extractor = Extractor::create(model, options);
    ASSERT_TRUE(planned.ok() && extractor.ok()) << options.taps[0];
    EXPECT_EQ(*planned, (*extractor)->memory_bytes()) << options.taps[0];
  }
}

TEST(TapFacts, StepsHoldEveryTapOfANetWithSqueezeAndExcitationOnce) {
  const auto model = testing::seeded_model("mobilenet_v3_small");
  ASSERT_NE(model, nullptr);
  const auto taps = model->taps();
  ASSERT_TRUE(taps.ok()) << taps.status().message();
  ExtractorOptions options;
  options.taps = {taps->back().name};
  options.max_batch = 1;
  const auto extractor = Extractor::create(model, options);
  ASSERT_TRUE(extractor.ok()) << extractor.status().message();
  std::vector<std::string> held, all;
  for (const StepInfo& step : (*extractor)->steps()) {
    held.insert(held.end(), step.taps.begin(), step.taps.end());
  }
  for (const TapInfo& tap : *taps) all.push_back(tap.name);
  std::sort(held.begin(), held.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(held, all);
}

TEST(TapFacts, BytesCanBePlannedAtEveryTapOfALargeNet) {
  const auto model = model_of("resnet152");
  const auto taps = model->taps();
  ASSERT_TRUE(taps.ok()) << taps.status().message();
  ExtractorOptions options;
  options.max_batch = 1;
  uint64_t last = 0;
  for (const TapInfo& tap : *taps) {
    options.taps = {tap.name};
    const auto bytes = Extractor::planned_bytes(model, options);
    ASSERT_TRUE(bytes.ok()) << bytes.status().message();
    EXPECT_GE(*bytes, 4 * tap.weights) << tap.name;
    last = *bytes;
  }
  EXPECT_LT(last, uint64_t{400} << 20);
}

}  // namespace
}  // namespace penult
