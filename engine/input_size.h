#pragma once

#include <cstdint>

#include "engine/model/model_data.h"

namespace penult {

// infer_shapes for a size that the caller chose: where only the size is to blame the error is
// InvalidArgument, and ModelInvalid where the network does not fit its own default size.
Status set_input_size(const ModelData& model, int64_t h, int64_t w, Graph& graph);

}  // namespace penult
