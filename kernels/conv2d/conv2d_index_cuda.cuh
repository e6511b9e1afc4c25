#pragma once

// Where the rows of an implicit product lie in src. A row is a pixel of dst; K is (kh, kw, ic), and
// ic is a multiple of 8 elements, so the 16 bytes of K that a thread copies at once are always of
// one tap. A block of K may hold several taps (8 channels, as of an image, make four of 32): each
// thread follows its own 16 bytes, and no products with zeros are spent on the rest of a tap.

#include "kernels/conv2d/conv2d_cuda.h"
#include "kernels/conv2d/conv2d_mutation_cuda.h"
#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/gpu.h"

namespace penult::kernels::cuda {

// The 16 bytes of K that a thread copies next.
struct Conv2dTap {
  int k = 0;         // in all of K
  int y = 0, x = 0;  // kh * dh, kw * dw
  int c = 0;

  // Without divisions, which would cost more than the products. Beyond K, y lies below all taps.
  template <class T>
  GPU_FN void advance(const Conv2dParams<T>& p, int elems) {
    k += elems;
    c += elems;
    while (c >= p.ic) {
      c -= p.ic;
      x += p.dw;
      if (x == p.kw * p.dw) {
        x = 0;
        y += p.dh;
      }
    }
  }
};

// The rows first, first + step, ... of a thread: divisions are done here, once.
template <int kCount>
struct Conv2dRows {
  int y[kCount], x[kCount];  // of the tap (0, 0): may lie outside of the map
  int offset[kCount];        // of that pixel in src

  template <class T>
  GPU_FN void find(const Conv2dParams<T>& p, int first, int step) {
    constexpr int kFarAbove = -(1 << 30);  // no tap leads from there into the map
    GPU_UNROLL
    for (int i = 0; i < kCount; ++i) {
      const int row = first + i * step;
      const int image = row / (p.oh * p.ow), pixel = row - image * (p.oh * p.ow);
      const int oy = pixel / p.ow, ox = pixel - oy * p.ow;
      const int iy = oy * p.sh - p.ph;
      x[i] = ox * p.sw - p.pw;
      y[i] = image < p.n ? iy : kFarAbove;
      offset[i] = ((image * p.ih + iy) * p.iw + x[i]) * p.ic;
    }
  }

  // If row i has a pixel of the map at that tap.
  template <Mutation kMutation, class T>
  GPU_FN bool has(const Conv2dParams<T>& p, int i, const Conv2dTap& tap) const {
    const int iy = y[i] + tap.y, ix = x[i] + tap.x;
    const bool in_rows = kMutation == Mutation::kNoRowBound ? iy >= 0 : is_inside(iy, p.ih);
    return in_rows && is_inside(ix, p.iw);
  }
};

template <class T>
GPU_FN int offset_of(const Conv2dParams<T>& p, const Conv2dTap& tap) {
  return (tap.y * p.iw + tap.x) * p.ic + tap.c;
}

}  // namespace penult::kernels::cuda
