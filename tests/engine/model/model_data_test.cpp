#include "engine/model/model_data.h"

#include <gmock/gmock.h>

#include "engine/base/text.h"
#include "engine/ops/op.h"
#include "tests/support/tiny_model.h"

namespace penult {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::tiny_model;

std::vector<int> resolve(const std::string& name) {
  const ModelData model = tiny_model();
  const auto taps = resolve_tap(model, name);
  EXPECT_TRUE(taps.ok()) << taps.status().message();
  return taps.ok() ? *taps : std::vector<int>{};
}

void expect_invalid(ModelData model, const std::string& words,
                    StatusCode code = StatusCode::kModelInvalid) {
  const Status status = validate(model);
  EXPECT_EQ(status.code(), code);
  EXPECT_THAT(status.message(), HasSubstr(words));
}

// Taps: 0 stem.0, 1 stem.1, 2 stem, 3 block.conv, 4 block.add, 5 pool, 6 classifier.

TEST(ResolveTap, MainNamesAliasesAndGroups) {
  EXPECT_THAT(resolve("block.add"), ElementsAre(4));
  EXPECT_THAT(resolve("penultimate"), ElementsAre(5));
  EXPECT_THAT(resolve("stem.2"), ElementsAre(2));
  EXPECT_THAT(resolve("blocks"), ElementsAre(2, 4));
  EXPECT_THAT(resolve("all"), ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

TEST(ResolveTap, AShortNameIsTheLastTapInsideIt) { EXPECT_THAT(resolve("block"), ElementsAre(4)); }

TEST(ResolveTap, AMainNameComesBeforeTheTapsInsideIt) {
  EXPECT_THAT(resolve("stem"), ElementsAre(2));
}

TEST(ResolveTap, APrefixEndsAtADot) {
  const ModelData model = tiny_model();
  for (const char* name : {"bloc", "block.", "block.a", ".", "", "stem.0.", "Stem", "pool.0"}) {
    EXPECT_EQ(resolve_tap(model, name).status().code(), StatusCode::kNotFound) << name;
  }
}

TEST(ResolveTap, AnUnknownNameGetsTheNearestOnes) {
  const ModelData model = tiny_model();
  const Status status = resolve_tap(model, "penultimat").status();
  EXPECT_EQ(status.code(), StatusCode::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("the nearest names are \"penultimate\""));
  EXPECT_THAT(resolve_tap(model, "a\n\x1b").status().message(), HasSubstr("\"a\\x0a\\x1b\""));
}

TEST(ResolveTap, AFarNameGetsNone) {
  const Status status = resolve_tap(tiny_model(), "nosuch").status();
  EXPECT_EQ(status.message(), "no tap is called \"nosuch\"; `penult inspect` lists all");
}

TEST(ResolveTap, AModelWithoutPenultimateSaysWhereItEnds) {
  ModelData model = tiny_model();
  model.aliases.clear();
  std::erase_if(model.taps, [](const Tap& tap) { return tap.name == "penultimate"; });
  EXPECT_THAT(resolve_tap(model, "penultimate").status().message(),
              HasSubstr(concat("the model ends at ", quote(model.taps.back().name))));
}

TEST(ValidateModel, TakesTheTinyModel) {
  ModelData model = tiny_model();
  EXPECT_TRUE(validate(model).ok()) << validate(model).message();
}

TEST(ValidateModel, TapsStandInExecutionOrder) {
  ModelData model = tiny_model();
  std::swap(model.taps[1], model.taps[2]);
  expect_invalid(model, "expected taps in execution order");
}

TEST(ValidateModel, TwoTapsMayNameOneValue) {
  ModelData model = tiny_model();
  model.taps.insert(model.taps.begin() + 1, {"stem.again", model.taps[0].value});
  EXPECT_TRUE(validate(model).ok());
}

TEST(ValidateModel, EveryValueHasAProducer) {
  ModelData model = tiny_model();
  model.graph.add_value("nowhere");
  expect_invalid(model, "value \"nowhere\": expected a node that produces it");
}

TEST(ValidateModel, AGroupHoldsATapOnce) {
  ModelData model = tiny_model();
  model.groups.push_back({"others", {2, 4}});  // two groups may share taps
  EXPECT_TRUE(validate(model).ok());
  model.groups.push_back({"twice", {2, 4, 2}});
  expect_invalid(model, "group \"twice\" holds tap 2 twice");
}

TEST(ValidateModel, NamesShareOneSpace) {
  ModelData model = tiny_model();
  model.groups[0].name = "penultimate";
  expect_invalid(model, "this name is taken already");
  model = tiny_model();
  model.aliases[0].name = "all";
  expect_invalid(model, "this name is taken already");
}

TEST(ValidateModel, NamesHoldNoControlCharacters) {
  for (const char* name : {"", "a\nb", "\x1b[2J", "\x7f",
                           "a\xc2\x9b"
                           "b",
                           "\xff"}) {
    ModelData model = tiny_model();
    model.aliases[0].name = name;
    expect_invalid(model, "expected 1 to 255 bytes of UTF-8 without control characters");
  }
}

TEST(ValidateModel, WeightsMayBeSharedAFewTimes) {
  ModelData model = tiny_model();
  const WeightId shared = model.graph.nodes[3].weights[0];
  ValueId x = model.graph.nodes[3].output;
  Attributes attrs;
  attrs.set("strides", {1, 1});
  x = model.graph.add_node(kConv2d, "again", {x}, {shared}, attrs);
  EXPECT_TRUE(validate(model).ok()) << validate(model).message();
  for (int i = 0; i < 60; ++i) {
    x = model.graph.add_node(kConv2d, "again" + std::to_string(i), {x}, {shared}, attrs);
  }
  expect_invalid(model, "the nodes use more than 4 times", StatusCode::kLimitExceeded);
}

}  // namespace
}  // namespace penult
