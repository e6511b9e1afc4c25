#pragma once

#include "engine/model/model_data.h"

namespace penult::converters {

// Names that every model has, for a graph of which nobody knows the architecture; shapes must be
// inferred. A classifier is a linear layer behind which neither another one nor a map comes; its
// output need be none of the graph's. Of several, the last one counts alone if a convolution lies
// between any of them and what they all read from. A cut is a tap through which every path from the
// input to a classifier goes, or to the last tap where there is no classifier.
// - `penultimate`: what the classifier reads; of several, the last tap that they all read from;
//   without one the last tap.
// - group `blocks`: cuts that end a step: an activation, add or concat that a convolution, a
//   pooling, a linear layer or several layers read; the last tap if there are none.
// - stages `0`, `1`, ... and `-1`, `-2`, ... from the end: of each scale, the last five of them,
//   the last of those cuts.
// A name that the model has already stays what it is.
void add_generic_names(ModelData& model);

}  // namespace penult::converters
