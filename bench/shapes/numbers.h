#pragma once

// Numbers for a problem, and how they lie in memory.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "bench/shapes/corpus.h"
#include "kernels/kernel.h"

namespace penult::shapes {

enum class Numbers {
  kIntegers,  // small: every sum is exact in f32
  kReals,     // in [-1, 1]
};

// nhwc without halo or channel padding.
using Dense = std::vector<float>;

// A problem with numbers in it, to be run by any kernel that accepts it.
struct KernelCase {
  ProblemSpec spec;
  std::vector<Dense> src;      // one for each input
  Dense residual;              // empty unless the epilogue has one
  std::vector<Dense> weights;  // by slot; empty: not given

  // Numbers for `images` images from a seed made of the problem's text.
  static KernelCase make(const ProblemSpec& spec, Numbers numbers, int64_t images);
};

// With channels padded as in every buffer of the engine, and `spare_channels` more.
kernels::TensorDesc lay_out(const Shape& shape, const kernels::Halo& halo,
                            int64_t spare_channels = 0);

// Without any padding of channels.
kernels::TensorDesc lay_out_dense(const Shape& shape, const kernels::Halo& halo);

// Floats from the start of such a buffer to its pixel (0, 0).
inline int64_t origin_of(const kernels::TensorDesc& desc) {
  return desc.halo.top * desc.row_stride + desc.halo.left * desc.pixel_stride;
}

// Calls body(pixel) for each pixel of `images` images; `origin` is pixel (0, 0) of the first.
template <class Float, class Body>
void for_each_pixel(const kernels::TensorDesc& desc, Float* origin, int64_t images,
                    const Body& body) {
  for (int64_t i = 0; i < images; ++i)
    for (int64_t y = 0; y < desc.shape.h; ++y)
      for (int64_t x = 0; x < desc.shape.w; ++x)
        body(origin + i * desc.image_stride + y * desc.row_stride + x * desc.pixel_stride);
}

inline void copy_in(const Dense& dense, const kernels::TensorDesc& desc, float* origin,
                    int64_t images) {
  const float* next = dense.data();
  for_each_pixel(desc, origin, images, [&](float* pixel) {
    std::copy(next, next + desc.shape.c, pixel);
    next += desc.shape.c;
  });
}

}  // namespace penult::shapes
