#pragma once

#include "engine/model/model_data.h"

namespace penult::converters {

// Names that every model has, for a graph of which nobody knows the architecture; shapes must be
// inferred. A cut is a tap through which every path from the input to the last tap goes.
// - `penultimate`: what the last linear layer reads, if only activations come after it; else the
//   last tap.
// - group `blocks`: cuts that end a step: an activation, add or concat that a convolution, a
//   pooling, a linear layer or several layers read; the last tap if there are none.
// - stages `0`, `1`, ... and `-1`, `-2`, ... from the end: of each scale, the last five of them,
// the
//   last of those cuts.
// A name that the model has already stays what it is.
void add_generic_names(ModelData& model);

}  // namespace penult::converters
