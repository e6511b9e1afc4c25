#pragma once

// Plain numbers only: read by files compiled for one ISA.

#include <cstdint>

namespace penult::kernels {

// From one image, row, pixel of a map to the next, in floats.
struct Strides {
  int64_t image, row, pixel;
  int64_t ring_rows = 0;  // TensorDesc::ring_rows
};

}  // namespace penult::kernels
