#pragma once

// What training tools do to the names of a network's tensors.

#include "converters/importer.h"

namespace penult::converters {

// Removes what wrappers put before the names (DataParallel "module.", torch.compile "_orig_mod.",
// Lightning "model.", detectors "backbone."), as long as every tensor has it, and says so in
// `format`.
void strip_prefixes(StateDict& weights);

}  // namespace penult::converters
