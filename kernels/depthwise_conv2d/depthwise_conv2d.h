#pragma once

// conv2d with groups == ic == oc: kernels/conv2d/conv2d_geometry.h is the contract. This table
// stands before conv2d's, which runs what these kernels decline.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kDepthwiseConv2dTable;

}  // namespace penult::kernels
