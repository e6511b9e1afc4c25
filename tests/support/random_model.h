#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/graph/graph.h"
#include "penult/model.h"

namespace penult::testing {

// A model around a graph made by RandomNet, at input size `size`: every node is a tap, the last one
// is `penultimate`.
std::shared_ptr<const Model> model_of(const Graph& graph, int64_t size);

// (n, 3, size, size) normally distributed floats.
std::vector<float> random_images(uint32_t seed, int64_t n, int64_t size);

}  // namespace penult::testing
