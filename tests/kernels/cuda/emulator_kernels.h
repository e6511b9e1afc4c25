#pragma once

// Small kernels of the emulator's tests. Most have a bug to choose: what the checker must find.

#include <cstddef>
#include <cstdint>

#include "kernels/cuda/gpu_types.h"

namespace penult::testing {

// Whether the compiler has put the checker's call-outs into these kernels.
bool kernels_are_instrumented();

enum class SgemmBug {
  kNone,
  kNoBarrierAfterFill,
  kNoBarrierBeforeRefill,
  kNoBoundOfK,
  kTailNotZeroed,
};
// c (m x n) = a (m x k) * b (k x n), by rows; tiles of 16.
gpu::Error launch_sgemm(SgemmBug bug, const float* a, const float* b, float* c, int m, int n, int k,
                        gpu::Stream stream);

enum class AverageBug { kNone, kNoBarrier, kFiveLanes };
// y (images, channels) = means of x (images, pixels, channels).
gpu::Error launch_average(AverageBug bug, const gpu::Half* x, float* y, int images, int pixels,
                          int channels, gpu::Stream stream);

enum class PipelineBug {
  kNone,
  kNoBarrier,
  kWaitOffByOne,
  kBarrierBeforeWait,
  kRefillBeforeBarrier,
  kEndsWithCopies,
};
inline constexpr int kPipelineThreads = 128;
// y[i] = sum over tiles of the four words that thread i ^ 33 has copied; x (tiles, 128, 4).
gpu::Error launch_pipeline(PipelineBug bug, const uint32_t* x, uint32_t* y, int tiles,
                           gpu::Stream stream);

// Of one warp: y[lane * 4 + i] = r[i] of ldmatrix_x4, of four 8x8 matrices of 16 bits each.
gpu::Error launch_ldmatrix(const uint16_t* matrices, uint32_t* y);
// d (16x8) = c + a (16x16) * b (16x8), all by rows.
gpu::Error launch_multiply(const gpu::Half* a, const gpu::Half* b, const float* c, float* d);

gpu::Error launch_shuffles(const float* x, float* by_xor, float* by_down, int argument);

// y[t] = x[(t + 1) % threads], by way of shared memory.
gpu::Error launch_rotate(bool barrier, const float* x, float* y, int threads, gpu::Stream stream);
// y[t] = x[t ^ partner] with sync_warp() between, or nothing; of 64 threads.
gpu::Error launch_exchange(bool sync, const float* x, float* y, int partner);

// y[t] = x[(t - 32) * 4], copied asynchronously; of threads 32 to 63. With a barrier where it
// belongs.
gpu::Error launch_late_wait(bool barrier, const uint32_t* x, uint32_t* y);

// All threads read a word of shared memory, then `writer` overwrites it; with sync_warp() between
// if told to.
gpu::Error launch_read_then_write(int threads, int writer, bool sync, uint32_t* y);
// All blocks read *x twice (or not), then the `writer`-th one writes it.
gpu::Error launch_blocks(int blocks, bool read, int writer, uint32_t* x, uint32_t* y);

enum class Trouble {
  kHalfWarpShuffles,   // while others wait at the barrier
  kEndsBeforeBarrier,  // one thread
  kDifferentThings,    // half a warp shuffles, half synchronises
  kReadsBehindGlobal,  // the first float behind the n floats of x
  kWritesBehindGlobal,
  kReadsBeforeGlobal,
  kWritesBehindShared,
  kReadsAcrossEnd,  // of x
  kReadsShared,     // that nobody wrote
  kAddsToShared,    // that nobody wrote
  kReadsGlobal,     // x[0], which nobody wrote
  kLoads32Misaligned,
  kLoads64Misaligned,
  kLoads128Misaligned,
  kStores32Misaligned,
  kStores64Misaligned,
  kStores128Misaligned,
  kLdmatrixMisaligned,
  kCopiesFromMisaligned,
  kCopiesToMisaligned,
  kCopiesToGlobal,
};
// One block of 64 threads; x has n = 62 floats.
gpu::Error launch_trouble(Trouble trouble, float* x, int n);

// Appends each thread's number to order[*count ...], four times.
gpu::Error launch_schedule(uint32_t* count, uint32_t* order, int threads);

// y[linear number] = linear number of the block * 1000 + that of the thread, by all axes.
gpu::Error launch_numbers(const unsigned (&grid)[3], const unsigned (&block)[3], uint32_t* y);
gpu::Error launch_add_one(float* x, int n, gpu::Stream stream);
// y[0] = sum of `bytes` bytes of dynamic shared memory, each of which was 1.
gpu::Error launch_dynamic(size_t bytes, uint32_t* y);
gpu::Error launch_with_52_kb_static(float* y);
// Writes nothing; for the limits of launches.
gpu::Error launch_nothing(const unsigned (&grid)[3], const unsigned (&block)[3],
                          size_t shared_bytes);

}  // namespace penult::testing
