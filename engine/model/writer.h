#pragma once

#include <string>

#include "engine/model/model_data.h"

namespace penult {

// Writes `model` to `path` atomically (temporary file beside it, fsync, rename) and sets
// model.info.model_id. Weights no node uses are an error, not dropped.
Status write_model(ModelData& model, const std::string& path);

}  // namespace penult
