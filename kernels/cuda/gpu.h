#pragma once

// The one header that kernels (.cu) include: the same source compiles with nvcc for a GPU, and with
// PENULT_GPU_EMULATED as C++ for the emulator (kernels/cuda/emulated), which runs every thread of a
// block as a fiber and checks each access. Rules for kernels:
//   - no <<<>>>, inline PTX or CUDA intrinsic outside of this header;
//   - shared memory by GPU_SHARED and GPU_DYN_SHARED only;
//   - 8 and 16 bytes at once by load64 to store128 only, which check the alignment;
//   - products that are to be fused by fma() explicitly, for compilers differ;
//   - all 32 lanes take part in shuffles and mma; no return before a barrier; blocks of whole
//   warps;
//   - no waiting for other blocks, no malloc, printf, exceptions, virtual calls.

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/gpu_types.h"

#if defined(PENULT_GPU_EMULATED)
#include "kernels/cuda/emulated/device_code.h"
#else
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define GPU_KERNEL __global__ void
#define GPU_FN __device__ __forceinline__
#define GPU_BOUNDS(threads, blocks) __launch_bounds__(threads, blocks)
#define GPU_UNROLL _Pragma("unroll")
// GPU_SHARED(float[16][17], tile): the block's own, uninitialised.
#define GPU_SHARED(type, name) __shared__ ::penult::gpu::Identity<type> name
// unsigned char* name: the shared memory that launch() was asked for.
#define GPU_DYN_SHARED(name) extern __shared__ __align__(128) unsigned char name[]

namespace penult::gpu {
template <class T>
using Identity = T;
using Dim3 = dim3;
}  // namespace penult::gpu
#endif

namespace penult::gpu {

struct alignas(8) Bits64 {
  uint32_t v[2];
};
struct alignas(16) Bits128 {
  uint32_t v[4];
};

#if defined(PENULT_GPU_EMULATED)
// Bodies: kernels/cuda/emulated. The same names, in the order of the other branch.
using emulated::copy_async16;
using emulated::copy_async_commit;
using emulated::copy_async_wait;
using emulated::exp;
using emulated::fma;
using emulated::launch;
using emulated::ldmatrix_x4;
using emulated::load128;
using emulated::load32;
using emulated::load64;
using emulated::mma_f16_16x8x16;
using emulated::shuffle_down;
using emulated::shuffle_xor;
using emulated::store128;
using emulated::store32;
using emulated::store64;
using emulated::sync_block;
using emulated::sync_warp;
using emulated::to_float;
using emulated::to_half;
#else

// grid and block in blocks and threads; shared_bytes of GPU_DYN_SHARED. Does not wait.
template <class... Params, class... Args>
inline Error launch(void (*kernel)(Params...), Dim3 grid, Dim3 block, size_t shared_bytes,
                    Stream stream, Args... args) {
  if (shared_bytes > 48 * 1024) {
    const cudaError_t error =
        cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                             cudaFuncAttributeMaxDynamicSharedMemorySize, int(shared_bytes));
    if (error != cudaSuccess) return error;
  }
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = static_cast<cudaStream_t>(stream);
  return cudaLaunchKernelEx(&config, kernel, Params(args)...);
}

GPU_FN float to_float(Half x) { return __half2float(__ushort_as_half(x.bits)); }
GPU_FN Half to_half(float x) { return {__half_as_ushort(__float2half_rn(x))}; }
GPU_FN float fma(float a, float b, float c) { return __fmaf_rn(a, b, c); }
GPU_FN float exp(float x) { return expf(x); }

GPU_FN uint32_t load32(const void* p) { return *static_cast<const uint32_t*>(p); }
GPU_FN Bits64 load64(const void* p) {
  const uint2 v = *static_cast<const uint2*>(p);
  return {{v.x, v.y}};
}
GPU_FN Bits128 load128(const void* p) {
  const uint4 v = *static_cast<const uint4*>(p);
  return {{v.x, v.y, v.z, v.w}};
}
GPU_FN void store32(void* p, uint32_t x) { *static_cast<uint32_t*>(p) = x; }
GPU_FN void store64(void* p, Bits64 x) { *static_cast<uint2*>(p) = make_uint2(x.v[0], x.v[1]); }
GPU_FN void store128(void* p, Bits128 x) {
  *static_cast<uint4*>(p) = make_uint4(x.v[0], x.v[1], x.v[2], x.v[3]);
}

GPU_FN void sync_block() { __syncthreads(); }
GPU_FN void sync_warp() { __syncwarp(); }
// Of the lane with that lane's number xor `mask`; of the lane `delta` above (its own beyond 31).
GPU_FN float shuffle_xor(float x, int mask) { return __shfl_xor_sync(0xffffffffU, x, mask); }
GPU_FN float shuffle_down(float x, int delta) { return __shfl_down_sync(0xffffffffU, x, delta); }

GPU_FN uint32_t shared_address(const void* p) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(p));
}

// Four 8x8 matrices of 16-bit numbers: lane l gives the address of row l % 8 of matrix l / 8 and
// receives of each matrix i elements 2 * (l % 4) and one more of row l / 4 (PTX ISA, ldmatrix).
GPU_FN void ldmatrix_x4(uint32_t (&r)[4], const void* shared_row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(shared_row))
               : "memory");
}

// d (16x8) += a (16x16, rows) * b (16x8, columns); fragments as in the PTX ISA, mma.m16n8k16.
GPU_FN void mma_f16_16x8x16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
      "{%0,%1,%2,%3},{%4,%5,%6,%7},{%8,%9},{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// 16 bytes from global into shared memory, zeros if not `valid`; both addresses multiples of 16,
// `global` one that may be read even then. There once copy_async_wait<N>() left at most N of the
// groups closed by commit() open, and, for other threads, a barrier has followed.
GPU_FN void copy_async16(void* shared, const void* global, bool valid) {
  const int bytes = valid ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(shared)),
               "l"(global), "r"(bytes)
               : "memory");
}
GPU_FN void copy_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
template <int kOpen>
GPU_FN void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kOpen) : "memory");
}
#endif

GPU_FN uint32_t pack_halves(float low, float high) {
  return to_half(low).bits | static_cast<uint32_t>(to_half(high).bits) << 16;
}
GPU_FN float low_half(uint32_t pair) { return to_float({static_cast<uint16_t>(pair)}); }
GPU_FN float high_half(uint32_t pair) { return to_float({static_cast<uint16_t>(pair >> 16)}); }

}  // namespace penult::gpu
