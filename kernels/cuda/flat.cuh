#pragma once

// Kernels with one thread for each piece of work, counted through: what most operators without
// weights are.

#include <bit>
#include <cstdint>

#include "kernels/cuda/elements.cuh"
#include "kernels/cuda/gpu.h"
#include "kernels/cuda/row.h"

namespace penult::kernels::cuda {

// Division of numbers below 2^31 by one that the host knows: a product and a shift, where the
// instructions for any divisor are about 20. With 2^(s-1) < divisor <= 2^s and factor =
// floor(2^(31+s) / divisor) + 1 the product is too large by a fraction less than 1 / divisor
// (Granlund and Montgomery, Division by Invariant Integers using Multiplication, theorem 4.2).
struct Divider {
  uint32_t divisor, factor, shift;

  static Divider by(int64_t divisor) {
    const auto d = static_cast<uint32_t>(divisor);
    const auto shift = static_cast<uint32_t>(31 + std::bit_width(d - 1));
    return {d, static_cast<uint32_t>((uint64_t{1} << shift) / d + 1), shift};
  }
};

struct Quotient {
  uint32_t whole, rest;
};

GPU_FN Quotient divide(uint32_t x, const Divider& by) {
  const auto whole = static_cast<uint32_t>(uint64_t{x} * by.factor >> by.shift);
  return {whole, x - whole * by.divisor};
}

template <int kThreads>
GPU_FN uint32_t flat_index() {
  return blockIdx.x * kThreads + threadIdx.x;
}

inline constexpr int kFlatThreads = 256;
inline constexpr gpu::Error kInvalidValue = 1;  // cudaErrorInvalidValue

// One thread for each of `count`, which is also the kernel's first argument.
template <int kThreads = kFlatThreads, class Kernel, class... Args>
gpu::Error launch_flat(Kernel kernel, int64_t count, gpu::Stream stream, const Args&... args) {
  if (count > INT32_MAX) return kInvalidValue;
  const auto blocks = static_cast<unsigned>((count + kThreads - 1) / kThreads);
  return gpu::launch(kernel, gpu::Dim3(blocks), gpu::Dim3(kThreads), 0, stream,
                     static_cast<uint32_t>(count), args...);
}

inline int64_t groups_of(const TensorDesc& desc) { return desc.pixel_stride / kGroup; }
inline int64_t pixels_of(const TensorDesc& desc) { return desc.shape.h * desc.shape.w; }

// Groups of 8 channels in dst.
inline int64_t dst_groups(const GpuArgs& args) {
  const TensorDesc& dst = args.problem.dst;
  return args.n * pixels_of(dst) * groups_of(dst);
}

template <class T>
const T* source(const GpuArgs& args, size_t index) {
  return static_cast<const T*>(args.src[index]);
}

template <class T>
Output<T> output_of(const GpuArgs& args) {
  return {static_cast<T*>(args.dst), static_cast<const T*>(args.residual),
          args.problem.epilogue.activation, static_cast<int>(args.problem.dst.shape.c)};
}

}  // namespace penult::kernels::cuda
