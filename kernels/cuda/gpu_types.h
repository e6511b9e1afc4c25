#pragma once

// What host code and kernels share: plain types, readable by nvcc, g++ and clang alike.

#include <cstdint>

namespace penult::gpu {

// Of IEEE binary16: storage only; kernels compute in f32 or in mma instructions.
struct Half {
  uint16_t bits;
};

using Stream = void*;  // cudaStream_t
using Error = int;     // cudaError_t; 0: none

// For the host: engine/base/half.h.
Half half_from_float(float x);
float float_from_half(Half x);

}  // namespace penult::gpu
