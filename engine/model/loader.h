#pragma once

#include <string>

#include "engine/model/model_data.h"

namespace penult {

// Opens a .penult file: checks sizes, magic and version, verifies the FlatBuffers part, builds an
// owned ModelData and validates it; only then may anything be allocated by declared size. The
// graph's WeightSource keeps the file open and verifies each block's checksum when the block is
// read.
Result<ModelData> load_model(const std::string& path);

// Reads every weight once, so that damage shows now and not when a layer is first used.
Status verify_all_weights(const ModelData& model);

}  // namespace penult
