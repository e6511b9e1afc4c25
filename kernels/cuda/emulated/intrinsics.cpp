// What gpu.h offers to kernels, each with its own access checks. Which lane holds which elements of
// a matrix: PTX ISA, "Matrix Fragments for mma.m16n8k16" and "ldmatrix".

#include <cmath>
#include <cstring>

#include "kernels/cuda/emulated/block_runner.h"
#include "kernels/cuda/gpu.h"

namespace penult::gpu::emulated {
namespace {

// The caller's address, where a report is to point to.
#define PENULT_CALLER __builtin_return_address(0)

void check(const void* p, size_t bytes, Access access, const void* pc) {
  BlockRunner& runner = *t_runner;
  if (reinterpret_cast<uintptr_t>(p) % bytes != 0)
    runner.report(Kind::kMisaligned, std::to_string(bytes) + " bytes", pc);
  if (runner.checks()) runner.access(p, bytes, access, pc);
}

template <class T>
T load(const void* p, const void* pc) {
  check(p, sizeof(T), Access::kRead, pc);
  T x;
  std::memcpy(&x, p, sizeof(T));
  return x;
}

template <class T>
void store(void* p, const T& x, const void* pc) {
  check(p, sizeof(T), Access::kWrite, pc);
  std::memcpy(p, &x, sizeof(T));
}

struct ShuffleRecord {
  float value, result;
  int argument;
};

template <class Source>
void shuffle(void* const* records, Source source) {
  const auto record = [records](int lane) { return static_cast<ShuffleRecord*>(records[lane]); };
  for (int lane = 0; lane < 32; ++lane) {
    const int from = source(lane, record(lane)->argument);
    record(lane)->result = record(from >= 0 && from < 32 ? from : lane)->value;
  }
}

struct LdmatrixRecord {
  uint32_t* r;
  const unsigned char* row;
};

void ldmatrix(void* const* records, const Options&) {
  const auto record = [records](int lane) { return static_cast<LdmatrixRecord*>(records[lane]); };
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i)
      std::memcpy(&record(lane)->r[i], record(i * 8 + lane / 4)->row + lane % 4 * 4, 4);
  }
}

struct MmaRecord {
  float* d;
  const uint32_t* a;
  const uint32_t* b;
};

// Toward zero, from double to float.
float truncate(double x) {
  const auto nearest = static_cast<float>(x);
  if (!(std::fabs(static_cast<double>(nearest)) > std::fabs(x))) return nearest;
  return std::bit_cast<float>(std::bit_cast<uint32_t>(nearest) - 1);  // from infinity, too
}

// d (16x8) += a (16x16) * b (16x8). Products of halves are exact in double, hence it is the same
// whether they are fused.
using Multiply = void (*)(const double (&a)[16][16], const double (&b)[16][8], double (&d)[16][8],
                          bool truncated);
[[gnu::always_inline]] inline void multiply_any(const double (&a)[16][16], const double (&b)[16][8],
                                                double (&d)[16][8], bool truncated) {
  for (int row = 0; row < 16; ++row) {
    double sum[8];
    for (int column = 0; column < 8; ++column) sum[column] = d[row][column];
    for (int k = 0; k < 16; ++k) {
      for (int column = 0; column < 8; ++column) sum[column] += a[row][k] * b[k][column];
      if (!truncated || k % 4 != 3) continue;
      for (double& s : sum) s = static_cast<double>(truncate(s));
    }
    for (int column = 0; column < 8; ++column) d[row][column] = sum[column];
  }
}

void multiply_baseline(const double (&a)[16][16], const double (&b)[16][8], double (&d)[16][8],
                       bool truncated) {
  multiply_any(a, b, d, truncated);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) void multiply_avx2(const double (&a)[16][16],
                                                   const double (&b)[16][8], double (&d)[16][8],
                                                   bool truncated) {
  multiply_any(a, b, d, truncated);
}
#endif

Multiply choose_multiply() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return multiply_avx2;
#endif
  return multiply_baseline;
}

void to_doubles(const uint16_t* halves, int count, double* to) {
  for (int i = 0; i < count; ++i) to[i] = static_cast<double>(to_float({halves[i]}));
}

void mma(void* const* records, const Options& options) {
  static const Multiply multiply = choose_multiply();
  const auto record = [records](int lane) { return static_cast<MmaRecord*>(records[lane]); };
  uint16_t halves_a[16][16], halves_b[16][8];
  double a[16][16], b[16][8], d[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const int group = lane / 4, pair = lane % 4 * 2;
    for (int i = 0; i < 4; ++i) {
      const int row = group + i % 2 * 8, k = pair + i / 2 * 8;
      halves_a[row][k] = static_cast<uint16_t>(record(lane)->a[i]);
      halves_a[row][k + 1] = static_cast<uint16_t>(record(lane)->a[i] >> 16);
      d[group + i / 2 * 8][pair + i % 2] = static_cast<double>(record(lane)->d[i]);
    }
    for (int i = 0; i < 2; ++i) {
      halves_b[pair + i * 8][group] = static_cast<uint16_t>(record(lane)->b[i]);
      halves_b[pair + i * 8 + 1][group] = static_cast<uint16_t>(record(lane)->b[i] >> 16);
    }
  }
  to_doubles(halves_a[0], 256, a[0]);
  to_doubles(halves_b[0], 128, b[0]);
  multiply(a, b, d, options.mma == MmaSum::kTruncatedByFours);
  for (int lane = 0; lane < 32; ++lane) {
    for (int i = 0; i < 4; ++i)
      record(lane)->d[i] = static_cast<float>(d[lane / 4 + i / 2 * 8][lane % 4 * 2 + i % 2]);
  }
}

// 16 bytes of shared memory, where an instruction takes no other.
void check_shared_row(const void* p, Access access, const void* pc) {
  if (!t_runner->shared().contains(p))
    t_runner->report(Kind::kOutOfBounds, "an address that is not of shared memory", pc);
  check(p, 16, access, pc);
}

void finish_copy(const PendingCopies::Copy& copy) {
  BlockRunner& runner = *t_runner;
  if (runner.launch().options.lazy_copies) {
    if (copy.valid) std::memcpy(copy.shared, copy.global, 16);
    if (!copy.valid) std::memset(copy.shared, 0, 16);
  }
  if (!runner.checks()) return;
  runner.set_in_flight(copy.shared, 16, false);
  if (copy.valid) runner.check_access(copy.global, 16, Access::kRead, copy.pc);
  runner.check_access(copy.shared, 16, Access::kWrite, copy.pc);
}

}  // namespace

Dim3 thread_index() { return t_runner->thread_index(); }
Dim3 block_index() { return t_runner->block_index(); }
Dim3 block_dim() { return t_runner->launch().block; }
Dim3 grid_dim() { return t_runner->launch().grid; }

void* shared_array(const void* site, size_t bytes) {
  void* p = t_runner->shared().array(site, bytes);
  if (p == nullptr) t_runner->give_up(kInvalidConfiguration);
  return p;
}

unsigned char* dynamic_shared_memory() {
  unsigned char* p = t_runner->shared().dynamic();
  if (p == nullptr) t_runner->give_up(kInvalidConfiguration);
  return p;
}

uint32_t load32(const void* p) { return load<uint32_t>(p, PENULT_CALLER); }
Bits64 load64(const void* p) { return load<Bits64>(p, PENULT_CALLER); }
Bits128 load128(const void* p) { return load<Bits128>(p, PENULT_CALLER); }
void store32(void* p, uint32_t x) { store(p, x, PENULT_CALLER); }
void store64(void* p, Bits64 x) { store(p, x, PENULT_CALLER); }
void store128(void* p, Bits128 x) { store(p, x, PENULT_CALLER); }

void sync_block() { t_runner->sync_block(); }
void sync_warp() { t_runner->together(WarpOp::kSync, nullptr, nullptr, PENULT_CALLER); }

float shuffle_xor(float x, int mask) {
  ShuffleRecord record = {x, 0, mask};
  t_runner->together(
      WarpOp::kShuffleXor, &record,
      [](void* const* records, const Options&) {
        shuffle(records, [](int lane, int argument) { return lane ^ argument; });
      },
      PENULT_CALLER);
  return record.result;
}

float shuffle_down(float x, int delta) {
  ShuffleRecord record = {x, 0, delta};
  t_runner->together(
      WarpOp::kShuffleDown, &record,
      [](void* const* records, const Options&) {
        shuffle(records, [](int lane, int argument) { return lane + argument; });
      },
      PENULT_CALLER);
  return record.result;
}

void ldmatrix_x4(uint32_t (&r)[4], const void* shared_row) {
  check_shared_row(shared_row, Access::kRead, PENULT_CALLER);
  LdmatrixRecord record = {r, static_cast<const unsigned char*>(shared_row)};
  t_runner->together(WarpOp::kLdmatrix, &record, ldmatrix, PENULT_CALLER);
}

void mma_f16_16x8x16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
  MmaRecord record = {d, a, b};
  t_runner->together(WarpOp::kMma, &record, mma, PENULT_CALLER);
}

void copy_async16(void* shared, const void* global, bool valid) {
  BlockRunner& runner = *t_runner;
  check(global, 16, valid ? Access::kRead : Access::kBounds, PENULT_CALLER);
  check_shared_row(shared, Access::kWrite, PENULT_CALLER);
  if (runner.launch().options.lazy_copies) {
    std::memset(shared, 0xff, 16);
  } else if (valid) {
    std::memcpy(shared, global, 16);
  } else {
    std::memset(shared, 0, 16);
  }
  if (!runner.defers_copies()) return;
  if (runner.checks()) runner.set_in_flight(shared, 16, true);
  PendingCopies& pending = runner.copies();
  pending.copies.push_back({shared, global, valid, pending.next_group, PENULT_CALLER});
}

void copy_async_commit() {
  if (t_runner->defers_copies()) ++t_runner->copies().next_group;
}

void wait_for_copies(uint32_t open_groups) {
  if (!t_runner->defers_copies()) return;
  PendingCopies& pending = t_runner->copies();
  while (pending.done < pending.copies.size() &&
         pending.copies[pending.done].group + open_groups < pending.next_group) {
    finish_copy(pending.copies[pending.done++]);
  }
  if (pending.done == pending.copies.size()) {
    pending.copies.clear();
    pending.done = 0;
  }
}

#undef PENULT_CALLER

}  // namespace penult::gpu::emulated
