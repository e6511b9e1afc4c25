#pragma once

#include <string>

#include "engine/base/file.h"
#include "engine/model/model_data.h"

namespace penult {

// Writes `model` to `path` atomically (temporary file beside it, fsync, rename) and sets
// model.info.model_id. Weights no node uses are an error, not dropped. `existing`: a file at
// `path`, which if it is kept makes this InvalidArgument.
Status write_model(ModelData& model, const std::string& path, Existing existing);

}  // namespace penult
