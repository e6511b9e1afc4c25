// Kernels that do something that the checker must find.

#include "emulator_kernels.h"
#include "kernels/cuda/gpu.h"

namespace penult::testing {
namespace {

using gpu::Dim3;

template <bool kSync>
GPU_KERNEL exchange(const float* __restrict__ x, float* __restrict__ y, int partner) {
  GPU_SHARED(float[64], values);
  const int t = int(threadIdx.x);
  values[t] = x[t];
  if (kSync) gpu::sync_warp();
  y[t] = values[t ^ partner];
}

// The barrier comes while the copies are under way; another one would have to follow.
template <bool kBarrier>
GPU_KERNEL late_wait(const uint32_t* __restrict__ x, uint32_t* __restrict__ y) {
  GPU_SHARED(uint32_t[64][4], words);
  const int t = int(threadIdx.x);
  gpu::copy_async16(words[t], x + t * 4, true);
  gpu::copy_async_commit();
  gpu::sync_block();
  gpu::copy_async_wait<0>();
  if (kBarrier) gpu::sync_block();
  if (t >= 32) y[t] = words[t - 32][0];
}

template <bool kSync>
GPU_KERNEL read_then_write(int writer, uint32_t* y) {
  GPU_SHARED(uint32_t[1], word);
  const int t = int(threadIdx.x);
  if (t == 0) word[0] = 1;
  gpu::sync_block();
  y[t] = word[0];
  if (kSync) gpu::sync_warp();
  if (t != writer) return;
  y[t] += word[0];
  word[0] = 2;
}

GPU_KERNEL blocks(bool read, int writer, uint32_t* x, uint32_t* y) {
  if (read && threadIdx.x == 0) y[blockIdx.x] = x[0];
  gpu::sync_warp();
  if (read && threadIdx.x == 0) y[blockIdx.x] += x[0];
  if (threadIdx.x == 0 && int(blockIdx.x) == writer) x[0] = 2;
}

// Each does its part of the troubles, and nothing for the others.
template <Trouble kTrouble>
GPU_FN void do_not_meet(float* x, int t) {
  switch (kTrouble) {
    case Trouble::kHalfWarpShuffles:
      if (t < 16)
        x[t] = gpu::shuffle_xor(1, 1);
      else
        gpu::sync_block();
      break;
    case Trouble::kEndsBeforeBarrier:
      if (t == 0) return;
      gpu::sync_block();
      break;
    case Trouble::kDifferentThings:
      if (t % 32 < 16)
        x[t] = gpu::shuffle_xor(1, 1);
      else
        gpu::sync_warp();
      break;
    default:
      break;
  }
}

// Indices come from n, else the compiler would see the trouble.
template <Trouble kTrouble>
GPU_FN void go_astray(float* x, float* values, int n, int t) {
  switch (kTrouble) {
    case Trouble::kReadsBehindGlobal:
      if (t == 0) x[0] = x[n];
      break;
    case Trouble::kWritesBehindGlobal:
      if (t == 0) x[n] = 1;
      break;
    case Trouble::kReadsBeforeGlobal:
      if (t == 0) x[0] = x[n - n - 1];
      break;
    case Trouble::kWritesBehindShared:
      if (t == 0) values[n + 2] = 1;
      break;
    case Trouble::kReadsAcrossEnd:
      if (t == 0) gpu::load128(x + n - 2);
      break;
    case Trouble::kReadsShared:
      if (t == 0) x[0] = values[n / 2];
      break;
    case Trouble::kAddsToShared:
      values[t] += 1;
      break;
    case Trouble::kReadsGlobal:
      if (t == 0) x[1] = x[0];
      break;
    default:
      break;
  }
}

template <Trouble kTrouble>
GPU_FN void misalign(char* bytes, float* values, int t) {
  switch (kTrouble) {
    case Trouble::kLoads32Misaligned:
      if (t == 0) gpu::load32(bytes + 2);
      break;
    case Trouble::kLoads64Misaligned:
      if (t == 0) gpu::load64(bytes + 4);
      break;
    case Trouble::kLoads128Misaligned:
      if (t == 0) gpu::load128(bytes + 8);
      break;
    case Trouble::kStores32Misaligned:
      if (t == 0) gpu::store32(bytes + 2, 0);
      break;
    case Trouble::kStores64Misaligned:
      if (t == 0) gpu::store64(bytes + 4, {});
      break;
    case Trouble::kStores128Misaligned:
      if (t == 0) gpu::store128(bytes + 8, {});
      break;
    case Trouble::kLdmatrixMisaligned: {
      values[t] = 0;
      gpu::sync_block();
      uint32_t r[4];
      gpu::ldmatrix_x4(r, values + (t % 32 == 0 ? 2 : 0));
      break;
    }
    default:
      break;
  }
}

template <Trouble kTrouble>
GPU_FN void copy_wrongly(char* bytes, char* shared_bytes, int t) {
  if (t != 0) return;
  switch (kTrouble) {
    case Trouble::kCopiesFromMisaligned:
      gpu::copy_async16(shared_bytes, bytes + 8, true);
      break;
    case Trouble::kCopiesToMisaligned:
      gpu::copy_async16(shared_bytes + 8, bytes, true);
      break;
    case Trouble::kCopiesToGlobal:
      gpu::copy_async16(bytes + 16, bytes, true);
      break;
    default:
      break;
  }
}

template <Trouble kTrouble>
GPU_KERNEL trouble(float* x, int n) {
  GPU_SHARED(float[64], values);
  GPU_SHARED(float[64], behind);
  static_cast<void>(behind);
  const int t = int(threadIdx.x);
  auto* const bytes = static_cast<char*>(static_cast<void*>(x));
  do_not_meet<kTrouble>(x, t);
  go_astray<kTrouble>(x, values, n, t);
  misalign<kTrouble>(bytes, values, t);
  copy_wrongly<kTrouble>(bytes, static_cast<char*>(static_cast<void*>(values)), t);
  gpu::copy_async_commit();
  gpu::copy_async_wait<0>();
}

template <Trouble kTrouble>
gpu::Error launch_if(Trouble wanted, float* x, int n) {
  if (wanted == kTrouble) return gpu::launch(trouble<kTrouble>, 1, 64, 0, nullptr, x, n);
  if constexpr (kTrouble == Trouble::kCopiesToGlobal) {
    return 1;
  } else {
    constexpr auto kNext = static_cast<Trouble>(static_cast<int>(kTrouble) + 1);
    return launch_if<kNext>(wanted, x, n);
  }
}

}  // namespace

gpu::Error launch_exchange(bool sync, const float* x, float* y, int partner) {
  return gpu::launch(sync ? exchange<true> : exchange<false>, 1, 64, 0, nullptr, x, y, partner);
}

gpu::Error launch_late_wait(bool barrier, const uint32_t* x, uint32_t* y) {
  return gpu::launch(barrier ? late_wait<true> : late_wait<false>, 1, 64, 0, nullptr, x, y);
}

gpu::Error launch_read_then_write(int threads, int writer, bool sync, uint32_t* y) {
  return gpu::launch(sync ? read_then_write<true> : read_then_write<false>, 1, Dim3(threads), 0,
                     nullptr, writer, y);
}

gpu::Error launch_blocks(int count, bool read, int writer, uint32_t* x, uint32_t* y) {
  return gpu::launch(blocks, Dim3(count), 32, 0, nullptr, read, writer, x, y);
}

gpu::Error launch_trouble(Trouble wanted, float* x, int n) {
  return launch_if<Trouble::kHalfWarpShuffles>(wanted, x, n);
}

}  // namespace penult::testing
