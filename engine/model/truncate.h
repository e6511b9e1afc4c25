#pragma once

#include <span>

#include "engine/model/model_data.h"

namespace penult {

// The part of a model that some of its taps (indices) need: nodes, values and weights that none of
// them depends on are gone, and with them the taps, groups and aliases there (`penultimate`, too):
// no name comes to stand for another place. Weights are read from the model's own source. Features
// at the taps that remain have the same bits as before. InvalidArgument if `taps` is empty.
Result<ModelData> truncate_model(const ModelData& model, std::span<const int> taps);

}  // namespace penult
