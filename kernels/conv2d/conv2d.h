#pragma once

// Kernels of conv2d that other files put into tables. Contract: conv2d_geometry.h.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kConv2dTable;

void conv2d_loops_f32_reference(const RunArgs& args);

}  // namespace penult::kernels
