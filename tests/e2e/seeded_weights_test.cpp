// The weights of goldens, drawn in C++ and in Python: the figures are those of
// tools/seeded_nets.py.

#include "tests/support/seeded_weights.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace penult::testing {
namespace {

struct Drawn {
  const char* name;
  std::vector<int64_t> dims;
  float first, last;
};

TEST(SeededWeights, AreTheOnesThatPythonDraws) {
  const Drawn tensors[] = {
      {"bn1.running_var", {64}, 0x1.76a568p+0f, 0x1.a2696cp+0f},
      {"bn1.weight", {64}, 0x1.b86ca8p-1f, 0x1.f81204p-1f},
      {"fc.bias", {1000}, -0x1.a66b46p-4f, 0x1.c9b9e8p-5f},
      {"conv1.weight", {64, 3, 7, 7}, 0x1.a60124p-7f, -0x1.5f650ep-4f},
      {"blocks.0.0.conv_dw.weight", {32, 1, 3, 3}, 0x1.dbb02ep-1f, 0x1.e95da6p-3f},
  };
  for (const Drawn& tensor : tensors) {
    const std::vector<float> values = seeded_values(tensor.name, tensor.dims);
    EXPECT_EQ(values.front(), tensor.first) << tensor.name;
    EXPECT_EQ(values.back(), tensor.last) << tensor.name;
  }
}

TEST(SeededWeights, FollowTheTensorsOfTorch) {
  const auto facts = load_net_facts("resnet18");
  ASSERT_TRUE(facts.ok()) << facts.status().message();
  const converters::StateDict weights = seeded_weights(*facts);
  ASSERT_EQ(weights.tensors.size(), 122u);
  EXPECT_EQ(weights.tensors[0].name, "conv1.weight");
  EXPECT_THAT(weights.tensors[0].dims, ::testing::ElementsAre(64, 3, 7, 7));
  EXPECT_EQ(weights.tensors[0].data.size(), 9408u);
  EXPECT_TRUE(weights.tensors[5].is_counter) << weights.tensors[5].name;
  EXPECT_EQ(load_net_facts("resnet19").status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace penult::testing
