// Which differences between kernels and reference are a network's own, and which a fault.

#include "tools/penult/proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph/memory_weights.h"
#include "tests/support/tiny_model.h"
#include "tools/penult/moved.h"

namespace penult::program {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::vector<std::vector<float>> weights_of(const Graph& graph) {
  std::vector<std::vector<float>> weights;
  for (size_t i = 0; i < graph.weights.size(); ++i) {
    weights.emplace_back(graph.weights[i].elems());
    EXPECT_TRUE(graph.source->read(static_cast<WeightId>(i), weights.back()).ok());
  }
  return weights;
}

std::shared_ptr<const Model> model_of(ModelData data) {
  auto model = Model::from_data(std::move(data));
  EXPECT_TRUE(model.ok()) << model.status().message();
  return std::move(*model);
}

// block.conv takes its input away again but for 2^-16 of it, so that block.add is what is left: of
// the 24 bits of its terms the last 8.
std::shared_ptr<const Model> cancelling() {
  ModelData data = testing::tiny_model();
  auto weights = weights_of(data.graph);
  for (const Node& node : data.graph.nodes) {
    if (node.name != "block.conv") continue;
    std::vector<float>& w = weights[static_cast<size_t>(node.weights[0])];
    for (size_t i = 0; i < w.size(); ++i) w[i] = w[i] / 65536 - (i % 5 == 0 ? 1.0f : 0.0f);
    std::vector<float>& bias = weights[static_cast<size_t>(node.weights[1])];
    std::fill(bias.begin(), bias.end(), 0.0f);
  }
  data.graph.source = std::make_shared<MemoryWeights>(std::move(weights));
  return model_of(std::move(data));
}

// The reference, of whose tap `name` the number at `at` is changed to `to(number)`.
KernelRun with_fault(const std::shared_ptr<const Model>& model, const std::string& name,
                     float (*to)(float)) {
  return [=](const std::string& taps, const std::vector<float>& input,
             const Side& side) -> Result<Trial> {
    ExtractorOptions options;
    options.taps = {taps};
    options.backend = "reference";
    auto trial = run_trial(model, options, input, side);
    EXPECT_TRUE(trial.ok());
    for (size_t i = 0; trial.ok() && i < trial->outputs.size(); ++i) {
      if (trial->outputs[i].name == name) trial->values[i][1] = to(trial->values[i][1]);
    }
    return trial;
  };
}

std::vector<std::string> names_of(const std::vector<Amplified>& taps) {
  std::vector<std::string> names;
  for (const Amplified& tap : taps) names.push_back(tap.tap);
  return names;
}

TEST(Proof, HasNoAmplifiedTapsInAnOrdinaryNetwork) {
  const auto proof = prove_kernels(model_of(testing::tiny_model()));
  ASSERT_TRUE(proof.ok()) << proof.status().message();
  EXPECT_THAT(proof->amplified, IsEmpty());
  EXPECT_EQ(proof->taps, 7);
  EXPECT_LT(proof->worst.error, 1e-5);
}

TEST(Proof, AcceptsWhatTheWeightsAmplify) {
  const auto proof = prove_kernels(cancelling());
  ASSERT_TRUE(proof.ok()) << proof.status().message();
  // In the classifier the bias is more than what is left.
  EXPECT_THAT(names_of(proof->amplified), ElementsAre("block.add", "pool"));
  for (const Amplified& tap : proof->amplified) {
    EXPECT_GT(tap.error, 1e-4);
    EXPECT_GE(tap.moved, tap.error);
    EXPECT_LT(tap.moved, 1);
  }
  EXPECT_LT(proof->worst.error, 1e-5);
}

TEST(Proof, RefusesAFaultThatTheWeightsDoNotExplain) {
  const auto fault = [](float x) { return x + 2e-3f; };
  for (const auto& model : {model_of(testing::tiny_model()), cancelling()}) {
    const auto proof = prove(model, with_fault(model, "stem", fault));
    EXPECT_EQ(proof.status().code(), StatusCode::kModelInvalid);
    EXPECT_THAT(proof.status().message(), HasSubstr("disagree at tap \"stem\": max error "));
    EXPECT_THAT(proof.status().message(), HasSubstr("a fault of penult, please report it"));
  }
}

TEST(Proof, RefusesAFaultBeyondWhatTheWeightsAmplify) {
  const auto model = cancelling();
  const auto proof =
      prove(model, with_fault(model, "block.add", [](float x) { return 4 * x + 1e-4f; }));
  EXPECT_EQ(proof.status().code(), StatusCode::kModelInvalid);
  EXPECT_THAT(proof.status().message(), HasSubstr("disagree at tap \"block.add\""));
}

TEST(Proof, RefusesWhatIsNoNumber) {
  const auto model = cancelling();
  for (const char* tap : {"stem", "block.add"}) {
    const auto proof = prove(model, with_fault(model, tap, [](float) { return NAN; }));
    EXPECT_EQ(proof.status().code(), StatusCode::kModelInvalid) << tap;
  }
}

TEST(Moved, ChangesEachNumberByTheSamePartOfItself) {
  const std::vector<float> numbers = {1, -3, 0.1f, 1e30f, 0};
  const std::vector<float> other = moved(numbers, 0);
  for (size_t i = 0; i + 1 < numbers.size(); ++i) {
    EXPECT_NEAR(std::abs(other[i] / double{numbers[i]} - 1), kMove, kMove / 8);
  }
  EXPECT_EQ(other.back(), 0);
  EXPECT_EQ(other, moved(numbers, 0));
  EXPECT_NE(other, moved(numbers, 3));
}

TEST(Moved, ChangesEveryWeightOnceHoweverItIsRead) {
  const ModelData data = testing::tiny_model();
  const auto model = model_of(ModelData(data));
  const auto changed = moved(*model, 1);
  ASSERT_TRUE(changed.ok());
  const auto before = weights_of(data.graph), after = weights_of((*changed)->data().graph);
  for (size_t i = 0; i < before.size(); ++i) {
    for (size_t k = 0; k < before[i].size(); ++k) {
      EXPECT_NEAR(after[i][k], before[i][k], 1.1 * kMove * std::abs(before[i][k]));
      EXPECT_TRUE(after[i][k] != before[i][k] || before[i][k] == 0);
    }
    std::vector<float> pieces(before[i].size());
    const auto stream = (*changed)->data().graph.source->open(static_cast<WeightId>(i));
    const size_t first = pieces.size() / 3;
    ASSERT_TRUE(stream->read(std::span(pieces).first(first)).ok());
    ASSERT_TRUE(stream->read(std::span(pieces).subspan(first)).ok());
    EXPECT_EQ(pieces, after[i]);
  }
}

}  // namespace
}  // namespace penult::program
