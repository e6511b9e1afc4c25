#pragma once

// Channels of maps as kernels read and write them: eight at a time, 16 bytes of Half or twice 16 of
// float, which every group of kGpuPad channels is aligned to.

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/epilogue.cuh"
#include "kernels/cuda/gpu.h"

namespace penult::kernels::cuda {

inline constexpr int kGroup = 8;

GPU_FN float as_float(uint32_t bits) { return __builtin_bit_cast(float, bits); }
GPU_FN uint32_t as_bits(float x) { return __builtin_bit_cast(uint32_t, x); }

GPU_FN void load4(const float* p, float* x) {
  const gpu::Bits128 bits = gpu::load128(p);
  GPU_UNROLL for (int i = 0; i < 4; ++i) x[i] = as_float(bits.v[i]);
}
GPU_FN void store4(float* p, const float* x) {
  gpu::store128(p, {{as_bits(x[0]), as_bits(x[1]), as_bits(x[2]), as_bits(x[3])}});
}

GPU_FN void load4(const gpu::Half* p, float* x) {
  const gpu::Bits64 bits = gpu::load64(p);
  GPU_UNROLL for (int i = 0; i < 2; ++i) {
    x[2 * i] = gpu::low_half(bits.v[i]);
    x[2 * i + 1] = gpu::high_half(bits.v[i]);
  }
}

GPU_FN void load8(const float* p, float (&x)[kGroup]) {
  load4(p, x);
  load4(p + 4, x + 4);
}
GPU_FN void load8(const gpu::Half* p, float (&x)[kGroup]) {
  const gpu::Bits128 bits = gpu::load128(p);
  GPU_UNROLL for (int i = 0; i < 4; ++i) {
    x[2 * i] = gpu::low_half(bits.v[i]);
    x[2 * i + 1] = gpu::high_half(bits.v[i]);
  }
}
GPU_FN void store8(float* p, const float (&x)[kGroup]) {
  store4(p, x);
  store4(p + 4, x + 4);
}
GPU_FN void store8(gpu::Half* p, const float (&x)[kGroup]) {
  gpu::Bits128 bits;
  GPU_UNROLL for (int i = 0; i < 4; ++i) bits.v[i] = gpu::pack_halves(x[2 * i], x[2 * i + 1]);
  gpu::store128(p, bits);
}

GPU_FN float load1(const float* p) { return *p; }
GPU_FN float load1(const gpu::Half* p) { return gpu::to_float({p->bits}); }
GPU_FN void store1(float* p, float x) { *p = x; }
GPU_FN void store1(gpu::Half* p, float x) { p->bits = gpu::to_half(x).bits; }

// Row or column `i` of `size`, or one of the padding around.
GPU_FN bool is_inside(int i, int size) {
  return static_cast<unsigned>(i) < static_cast<unsigned>(size);
}

// Where results go, and through what.
template <class T>
struct Output {
  T* dst;
  const T* residual;  // null: none
  Activation activation;
  int c;  // without padding
};

// Epilogue and store of channels [first, first + 8) of a pixel, `at` elements behind dst's start.
// Padding becomes zeros: what is there would grow from sum to sum until it is infinite, and an
// infinity times a weight of zero is a NaN.
template <class T>
GPU_FN void finish8(const Output<T>& out, size_t at, int first, float (&x)[kGroup]) {
  if (out.residual != nullptr) {
    float residual[kGroup];
    load8(out.residual + at, residual);
    GPU_UNROLL for (int i = 0; i < kGroup; ++i) x[i] += residual[i];
  }
  activate(out.activation, x);
  if (first + kGroup > out.c) {
    GPU_UNROLL for (int i = 0; i < kGroup; ++i) x[i] = first + i < out.c ? x[i] : 0.0F;
  }
  store8(out.dst + at, x);
}

}  // namespace penult::kernels::cuda
