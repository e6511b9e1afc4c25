#include "tests/support/random_model.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "engine/model/model_data.h"

namespace penult::testing {

std::shared_ptr<const Model> model_of(const Graph& graph, int64_t size,
                                      const Preprocess& preprocess) {
  ModelData data;
  data.graph = graph;
  for (const Node& node : graph.nodes) data.taps.push_back({node.name, node.output});
  data.aliases.push_back({"penultimate", static_cast<int>(data.taps.size()) - 1});
  data.info.architecture = "random";
  data.info.source_sha256 = std::string(64, '0');
  data.info.input_h = data.info.input_w = size;
  data.info.preprocess = preprocess;
  auto model = Model::from_data(std::move(data));
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *model;
}

std::vector<float> random_images(uint32_t seed, int64_t n, int64_t size) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> images(static_cast<size_t>(n * 3 * size * size));
  for (float& v : images) v = normal(random);
  return images;
}

Features run(Extractor& extractor, std::span<const float> images, int64_t n) {
  Features features;
  for (const OutputInfo& output : extractor.outputs()) {
    features.emplace_back(static_cast<size_t>(n * output.elems), NAN);
  }
  const std::vector<std::span<float>> spans(features.begin(), features.end());
  const Status status = extractor.run(images, n, spans);
  EXPECT_TRUE(status.ok()) << status.message();
  return features;
}

}  // namespace penult::testing
