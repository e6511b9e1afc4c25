#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/graph/graph.h"
#include "penult/extractor.h"
#include "penult/model.h"

namespace penult::testing {

// A model around a graph made by RandomNet, at input size `size`: every node is a tap, the last one
// is `penultimate`.
std::shared_ptr<const Model> model_of(const Graph& graph, int64_t size,
                                      const Preprocess& preprocess = {});

// (n, 3, size, size) normally distributed floats.
std::vector<float> random_images(uint32_t seed, int64_t n, int64_t size);

// Every output of a run of n images, n * elems floats each. NaNs where nothing was written.
using Features = std::vector<std::vector<float>>;
Features run(Extractor& extractor, std::span<const float> images, int64_t n);

}  // namespace penult::testing
