#pragma once

// The kernels of conv2d with a mistake planted in each, which the emulator's checker must find.

#include <span>

#include "kernels/cuda/emulated/emulator.h"
#include "kernels/kernel.h"

namespace penult::testing {

struct Conv2dMutation {
  kernels::Kernel kernel;
  const char* problem;         // that shows it (bench/shapes/corpus.h)
  gpu::emulated::Kind report;  // that the checker makes, in some order of execution
};

std::span<const Conv2dMutation> conv2d_mutations();

// The same templates without a mistake, one for each tile; both also run large problems.
std::span<const kernels::Kernel> conv2d_f16_tiles();
const kernels::Kernel& conv2d_f32_tile();

}  // namespace penult::testing
