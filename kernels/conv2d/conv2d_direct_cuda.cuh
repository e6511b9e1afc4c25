#pragma once

// For groups, which the implicit products do not know: a thread for each element of dst, which
// reads single elements, for the channels of a group need not be a multiple of 8. Slow, and simple.

#include "kernels/conv2d/conv2d_cuda.h"
#include "kernels/cuda/elements.cuh"

namespace penult::kernels::cuda {
namespace {

constexpr int kDirectThreads = 256;

template <class T>
GPU_FN float convolve(const Conv2dParams<T>& p, int image, int oy, int ox, int oc) {
  const int first_ic = oc / p.group_oc * p.group_ic;
  const T* weights = p.weights + oc * (p.kh * p.kw * p.weights_ic);
  float sum = p.bias[oc];
  for (int ky = 0; ky < p.kh; ++ky) {
    const int iy = oy * p.sh - p.ph + ky * p.dh;
    if (iy < 0 || iy >= p.ih) continue;
    for (int kx = 0; kx < p.kw; ++kx) {
      const int ix = ox * p.sw - p.pw + kx * p.dw;
      if (ix < 0 || ix >= p.iw) continue;
      const T* src = p.src + ((image * p.ih + iy) * p.iw + ix) * p.ic + first_ic;
      const T* tap = weights + (ky * p.kw + kx) * p.weights_ic;
      for (int c = 0; c < p.group_ic; ++c) sum = gpu::fma(load1(src + c), load1(tap + c), sum);
    }
  }
  return sum;
}

template <class T>
GPU_KERNEL GPU_BOUNDS(kDirectThreads, 4) conv2d_direct_kernel(Conv2dParams<T> p) {
  const int index = int(blockIdx.x) * kDirectThreads + int(threadIdx.x);
  const int row = index / p.oc, oc = index - row * p.oc;
  if (row >= p.n * p.oh * p.ow) return;
  float result = 0;  // of the padding, too
  if (oc < p.used_oc) {
    const int image = row / (p.oh * p.ow), pixel = row - image * (p.oh * p.ow);
    const int oy = pixel / p.ow, ox = pixel - oy * p.ow;
    result = convolve(p, image, oy, ox, oc);
    if (p.residual != nullptr) result += load1(p.residual + index);
    result = activate(p.activation, result);
  }
  store1(p.dst + index, result);
}

template <class T>
gpu::Error launch_direct(const Conv2dParams<T>& p, gpu::Stream stream) {
  const int elems = p.n * p.oh * p.ow * p.oc;
  return gpu::launch(conv2d_direct_kernel<T>,
                     gpu::Dim3((elems + kDirectThreads - 1) / kDirectThreads),
                     gpu::Dim3(kDirectThreads), 0, stream, p);
}

}  // namespace
}  // namespace penult::kernels::cuda
