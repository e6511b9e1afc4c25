#pragma once

// The two ends of a run: the caller's images in, features out. Each function does its share
// of the work for one of several threads.

#include <cstdint>

#include "engine/base/rgb8_values.h"
#include "engine/exec/pooling.h"
#include "kernels/kernel.h"
#include "penult/extractor.h"

namespace penult {

// This thread's share.
struct Part {
  int thread, threads;
  int64_t begin(int64_t count) const { return count * thread / threads; }
  int64_t end(int64_t count) const { return count * (thread + 1) / threads; }
};

// Writes zeros around the map of each of the first n images.
void zero_halo(const kernels::TensorDesc& desc, float* dst, int64_t n, Part part);

// The images of a run: floats (n, c, h, w), or bytes (n, h, w, 3) and what becomes of them.
struct InputImages {
  const float* planar = nullptr;
  const uint8_t* rgb8 = nullptr;  // null: planar
  const Rgb8Values* values = nullptr;

  // Without the first `elems` numbers.
  InputImages behind(int64_t elems) const {
    return {.planar = planar != nullptr ? planar + elems : nullptr,
            .rgb8 = rgb8 != nullptr ? rgb8 + elems : nullptr,
            .values = values};
  }
};

// src -> dst nhwc, zeros in the channels that fill up a pixel (if desc has such).
void copy_input(const InputImages& src, const kernels::TensorDesc& desc, float* dst, int64_t n,
                Part part);

// src nhwc -> dst (n, elems), pooled as the table says. A vector is copied whatever the pooling. A
// map's kAvg is a node of the network, never seen here.
void deliver(const kernels::TensorDesc& desc, const float* src, Pooling pooling, float* dst,
             int64_t n, Part part);

}  // namespace penult
