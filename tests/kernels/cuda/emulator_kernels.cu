#include "emulator_kernels.h"
#include "kernels/cuda/gpu.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PENULT_KERNELS_ARE_INSTRUMENTED 1
#endif
#endif

namespace penult::testing {
namespace {

using gpu::Dim3;
using gpu::Half;

template <SgemmBug kBug>
GPU_KERNEL GPU_BOUNDS(256, 2) tiled_sgemm(const float* __restrict__ a, const float* __restrict__ b,
                                          float* __restrict__ c, int m, int n, int k) {
  GPU_SHARED(float[16][17], tile_a);
  GPU_SHARED(float[16][17], tile_b);
  const int x = int(threadIdx.x), y = int(threadIdx.y);
  const int row = int(blockIdx.y) * 16 + y, column = int(blockIdx.x) * 16 + x;
  float sum = 0;
  for (int first = 0; first < k; first += 16) {
    const bool in_a = row < m && (kBug == SgemmBug::kNoBoundOfK || first + x < k);
    const bool in_b = first + y < k && column < n;
    tile_a[y][x] = in_a ? a[row * k + first + x] : 0.F;
    if (in_b)
      tile_b[y][x] = b[(first + y) * n + column];
    else if (kBug != SgemmBug::kTailNotZeroed)
      tile_b[y][x] = 0;
    if (kBug != SgemmBug::kNoBarrierAfterFill) gpu::sync_block();
    for (int i = 0; i < 16; ++i) sum = gpu::fma(tile_a[y][i], tile_b[i][x], sum);
    if (kBug != SgemmBug::kNoBarrierBeforeRefill) gpu::sync_block();
  }
  if (row < m && column < n) c[row * n + column] = sum;
}

// A block for each channel of an image.
template <AverageBug kBug>
GPU_KERNEL GPU_BOUNDS(256, 2)
    average(const Half* __restrict__ x, float* __restrict__ y, int pixels, int channels) {
  GPU_SHARED(float[8], parts);
  const int t = int(threadIdx.x), lane = t % 32, warp = t / 32;
  const int image = int(blockIdx.y), channel = int(blockIdx.x);
  float sum = 0;
  for (int i = t; i < pixels; i += 256)
    sum += gpu::to_float(x[(size_t(image) * pixels + i) * channels + channel]);
  for (int i = 16; i > 0; i /= 2) sum += gpu::shuffle_xor(sum, i);
  if (lane == 0) parts[warp] = sum;
  if (kBug != AverageBug::kNoBarrier) gpu::sync_block();
  if (kBug == AverageBug::kFiveLanes ? t < 5 : warp == 0) {
    float total = lane < 8 ? parts[lane] : 0.F;
    for (int i = 4; i > 0; i /= 2) total += gpu::shuffle_xor(total, i);
    if (t == 0) y[image * channels + channel] = total / float(pixels);
  }
}

template <PipelineBug kBug>
GPU_KERNEL GPU_BOUNDS(kPipelineThreads, 1)
    pipeline(const uint32_t* __restrict__ x, uint32_t* __restrict__ y, int tiles) {
  constexpr int kStages = 3, kTileWords = kPipelineThreads * 4;
  constexpr int kOpen = kBug == PipelineBug::kWaitOffByOne ? kStages - 1 : kStages - 2;
  GPU_DYN_SHARED(shared);
  auto* const stages = static_cast<uint32_t*>(static_cast<void*>(shared));
  const int t = int(threadIdx.x);
  auto load = [&](int tile) {
    const bool valid = tile < tiles;
    if (valid || kBug == PipelineBug::kEndsWithCopies)
      gpu::copy_async16(stages + tile % kStages * kTileWords + t * 4,
                        x + (valid ? tile * kTileWords + t * 4 : 0), valid);
    gpu::copy_async_commit();
  };
  for (int i = 0; i < kStages - 1; ++i) load(i);
  uint32_t sum = 0;
  for (int i = 0; i < tiles; ++i) {
    if (kBug == PipelineBug::kBarrierBeforeWait) gpu::sync_block();
    gpu::copy_async_wait<kOpen>();
    if (kBug == PipelineBug::kRefillBeforeBarrier) load(i + kStages - 1);
    if (kBug != PipelineBug::kNoBarrier && kBug != PipelineBug::kBarrierBeforeWait)
      gpu::sync_block();
    if (kBug != PipelineBug::kRefillBeforeBarrier) load(i + kStages - 1);
    const gpu::Bits128 words = gpu::load128(stages + i % kStages * kTileWords + (t ^ 33) * 4);
    for (uint32_t word : words.v) sum += word;
  }
  if (kBug != PipelineBug::kEndsWithCopies) gpu::copy_async_wait<0>();
  y[t] = sum;
}

GPU_KERNEL ldmatrix(const uint16_t* __restrict__ matrices, uint32_t* __restrict__ y) {
  GPU_SHARED(uint16_t[32][8], rows);
  const int lane = int(threadIdx.x);
  for (int i = 0; i < 8; ++i) rows[lane][i] = matrices[lane * 8 + i];
  gpu::sync_warp();
  uint32_t r[4];
  gpu::ldmatrix_x4(r, rows[lane]);
  for (int i = 0; i < 4; ++i) y[lane * 4 + i] = r[i];
}

GPU_KERNEL multiply(const Half* __restrict__ a, const Half* __restrict__ b,
                    const float* __restrict__ c, float* __restrict__ d) {
  GPU_SHARED(Half[16][24], rows);     // of a; 48 bytes apart, for another stride than its width
  GPU_SHARED(Half[16][24], columns);  // of b, the second eight unused
  const int lane = int(threadIdx.x), group = lane / 4, pair = lane % 4 * 2;
  for (int i = lane; i < 256; i += 32) rows[i / 16][i % 16] = a[i];
  for (int i = lane; i < 256; i += 32)
    columns[i / 16][i % 16] = i < 128 ? b[i % 16 * 8 + i / 16] : Half{0};
  gpu::sync_warp();
  uint32_t of_a[4], of_b[4];
  gpu::ldmatrix_x4(of_a, &rows[lane % 16][lane / 16 * 8]);
  gpu::ldmatrix_x4(of_b, &columns[lane % 8 + lane / 16 * 8][lane / 8 % 2 * 8]);
  float sum[4];
  for (int i = 0; i < 4; ++i) sum[i] = c[(group + i / 2 * 8) * 8 + pair + i % 2];
  const uint32_t first_columns[2] = {of_b[0], of_b[1]};
  gpu::mma_f16_16x8x16(sum, of_a, first_columns);
  for (int i = 0; i < 4; ++i) d[(group + i / 2 * 8) * 8 + pair + i % 2] = sum[i];
}

GPU_KERNEL shuffles(const float* __restrict__ x, float* __restrict__ by_xor,
                    float* __restrict__ by_down, int argument) {
  const unsigned t = threadIdx.x;
  by_xor[t] = gpu::shuffle_xor(x[t], argument);
  by_down[t] = gpu::shuffle_down(x[t], argument);
}

template <bool kBarrier>
GPU_KERNEL rotate(const float* __restrict__ x, float* __restrict__ y) {
  GPU_SHARED(float[1024], values);
  const unsigned t = threadIdx.x;
  values[t] = x[t];
  if (kBarrier) gpu::sync_block();
  y[t] = values[(t + 1) % blockDim.x];
}

GPU_KERNEL schedule(uint32_t* count, uint32_t* order) {
  for (int i = 0; i < 4; ++i) {
    const uint32_t at = *count;
    *count = at + 1;
    order[at] = threadIdx.x;
    gpu::sync_warp();
  }
}

GPU_KERNEL numbers(uint32_t* y) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  y[block * blockDim.x * blockDim.y * blockDim.z + thread] = block * 1000 + thread;
}

GPU_KERNEL add_one(float* x, int n) {
  const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < n) x[i] += 1;
}

GPU_KERNEL dynamic(int bytes, uint32_t* y) {
  GPU_DYN_SHARED(shared);
  for (int i = int(threadIdx.x); i < bytes; i += 32) shared[i] = 1;
  gpu::sync_block();
  if (threadIdx.x != 0) return;
  uint32_t sum = 0;
  for (int i = 0; i < bytes; ++i) sum += shared[i];
  y[0] = sum;
}

GPU_KERNEL with_52_kb_static(float* y) {
  GPU_SHARED(float[13 * 1024], values);
  values[threadIdx.x] = 1;
  y[threadIdx.x] = values[threadIdx.x];
}

GPU_KERNEL nothing() {}

Dim3 dim(const unsigned (&d)[3]) { return {d[0], d[1], d[2]}; }

}  // namespace

bool kernels_are_instrumented() {
#if defined(PENULT_KERNELS_ARE_INSTRUMENTED)
  return true;
#else
  return false;
#endif
}

constexpr decltype(&tiled_sgemm<SgemmBug::kNone>) kTiledSgemms[] = {
    tiled_sgemm<SgemmBug::kNone>, tiled_sgemm<SgemmBug::kNoBarrierAfterFill>,
    tiled_sgemm<SgemmBug::kNoBarrierBeforeRefill>, tiled_sgemm<SgemmBug::kNoBoundOfK>,
    tiled_sgemm<SgemmBug::kTailNotZeroed>};

gpu::Error launch_sgemm(SgemmBug bug, const float* a, const float* b, float* c, int m, int n, int k,
                        gpu::Stream stream) {
  return gpu::launch(kTiledSgemms[static_cast<int>(bug)], Dim3((n + 15) / 16, (m + 15) / 16),
                     Dim3(16, 16), 0, stream, a, b, c, m, n, k);
}

constexpr decltype(&average<AverageBug::kNone>) kAverages[] = {
    average<AverageBug::kNone>, average<AverageBug::kNoBarrier>, average<AverageBug::kFiveLanes>};

gpu::Error launch_average(AverageBug bug, const Half* x, float* y, int images, int pixels,
                          int channels, gpu::Stream stream) {
  return gpu::launch(kAverages[static_cast<int>(bug)], Dim3(channels, images), 256, 0, stream, x, y,
                     pixels, channels);
}

constexpr decltype(&pipeline<PipelineBug::kNone>) kPipelines[] = {
    pipeline<PipelineBug::kNone>,
    pipeline<PipelineBug::kNoBarrier>,
    pipeline<PipelineBug::kWaitOffByOne>,
    pipeline<PipelineBug::kBarrierBeforeWait>,
    pipeline<PipelineBug::kRefillBeforeBarrier>,
    pipeline<PipelineBug::kEndsWithCopies>};

gpu::Error launch_pipeline(PipelineBug bug, const uint32_t* x, uint32_t* y, int tiles,
                           gpu::Stream stream) {
  return gpu::launch(kPipelines[static_cast<int>(bug)], 1, kPipelineThreads,
                     3 * kPipelineThreads * 16, stream, x, y, tiles);
}

gpu::Error launch_ldmatrix(const uint16_t* matrices, uint32_t* y) {
  return gpu::launch(ldmatrix, 1, 32, 0, nullptr, matrices, y);
}

gpu::Error launch_multiply(const Half* a, const Half* b, const float* c, float* d) {
  return gpu::launch(multiply, 1, 32, 0, nullptr, a, b, c, d);
}

gpu::Error launch_shuffles(const float* x, float* by_xor, float* by_down, int argument) {
  return gpu::launch(shuffles, 1, 64, 0, nullptr, x, by_xor, by_down, argument);
}

gpu::Error launch_rotate(bool barrier, const float* x, float* y, int threads, gpu::Stream stream) {
  return gpu::launch(barrier ? rotate<true> : rotate<false>, 1, Dim3(threads), 0, stream, x, y);
}

gpu::Error launch_schedule(uint32_t* count, uint32_t* order, int threads) {
  return gpu::launch(schedule, 1, Dim3(threads), 0, nullptr, count, order);
}

gpu::Error launch_numbers(const unsigned (&grid)[3], const unsigned (&block)[3], uint32_t* y) {
  return gpu::launch(numbers, dim(grid), dim(block), 0, nullptr, y);
}

gpu::Error launch_add_one(float* x, int n, gpu::Stream stream) {
  return gpu::launch(add_one, Dim3((n + 63) / 64), 64, 0, stream, x, n);
}

gpu::Error launch_dynamic(size_t bytes, uint32_t* y) {
  return gpu::launch(dynamic, 1, 32, bytes, nullptr, int(bytes), y);
}

gpu::Error launch_with_52_kb_static(float* y) {
  return gpu::launch(with_52_kb_static, 1, 32, 0, nullptr, y);
}

gpu::Error launch_nothing(const unsigned (&grid)[3], const unsigned (&block)[3],
                          size_t shared_bytes) {
  return gpu::launch(nothing, dim(grid), dim(block), shared_bytes, nullptr);
}

}  // namespace penult::testing
