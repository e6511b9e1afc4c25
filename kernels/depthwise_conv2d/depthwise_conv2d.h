#pragma once

// conv2d with groups == ic == oc: kernels/conv2d/conv2d_geometry.h is the contract. This table
// stands before conv2d's, which runs what these kernels decline.

#include "kernels/kernel.h"

namespace penult::kernels {

extern const Table kDepthwiseConv2dTable;

// Why a problem is none for the kernels of 3x3 and 5x5 with strides 1 and 2, and for those of any
// depthwise convolution: the processor's and a device's. Empty: it is one.
std::string depthwise_declines(const Problem& problem);
std::string depthwise_declines_any(const Problem& problem);

}  // namespace penult::kernels
