#pragma once

// Baseline side of the pass over a map.

#include "kernels/pointwise/pointwise_params.h"
#include "kernels/support.h"

namespace penult::kernels {

// Maps, epilogue and this thread's rows; the operator adds what is its own.
PointwiseParams pointwise_params(const RunArgs& args);

}  // namespace penult::kernels
