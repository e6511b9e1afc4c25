#pragma once

// The emulator as its users and tests see it: how kernels are run, and what was found. Kernels run
// on the calling thread, one block after the other, each thread of a block as a fiber.
//
// Options::check finds unordered accesses, reads of what nobody wrote, accesses beside arrays and
// to copies that may still be under way, in any order of execution. It sees the accesses of kernels
// that clang has compiled with -fsanitize=thread (tsan_hooks.cpp), besides those of gpu.h: others
// must not run while it is on, for their stores are missed.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/cuda/gpu_types.h"

namespace penult::gpu::emulated {

// Errors, with the numbers that CUDA gives them.
inline constexpr Error kInvalidValue = 1, kOutOfMemory = 2, kInvalidConfiguration = 9,
                       kInvalidDevice = 101, kInvalidHandle = 400, kLaunchFailed = 719,
                       kStreamRecords = 900;

// Of a block's threads, and of blocks. Reverse: also where all have waited, the last one goes
// first.
enum class Order { kInOrder, kReverse, kRandom };

// How mma adds: the PTX ISA leaves open how hardware does. Tests are to pass both ways.
enum class MmaSum { kRoundedOnce, kTruncatedByFours };

struct Options {
  Order order = Order::kInOrder;
  uint64_t seed = 1;  // each launch begins anew with it
  // With `check`, each so many accesses on average another thread goes on in between. 0: never.
  uint32_t preempt = 0;
  // Data of copy_async16 arrive when they are waited for; else at once.
  bool lazy_copies = false;
  bool check = false;
  MmaSum mma = MmaSum::kRoundedOnce;
};

// For launches and allocations from now on, of all threads.
void set_options(const Options& options);
Options options();

enum class Kind { kRace, kUninitialised, kOutOfBounds, kInFlight, kDivergence, kMisaligned };
inline constexpr size_t kKinds = 6;
std::string_view kind_name(Kind kind);

struct Reports {
  std::array<int64_t, kKinds> counts = {};
  std::vector<std::string> messages;  // the first few

  int64_t operator[](Kind kind) const { return counts[static_cast<size_t>(kind)]; }
  int64_t total() const;
};

// Those of all threads since the last call.
Reports take_reports();

// For the emulator's own files.
void add_report(Kind kind, const std::string& text);
std::string first_message();
// "module+0x1234", for addr2line.
std::string place(const void* pc);

}  // namespace penult::gpu::emulated
