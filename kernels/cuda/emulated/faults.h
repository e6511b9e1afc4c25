#pragma once

// What tests of those who use gpu::rt ask of the emulator: calls that fail on purpose, what has not
// been given back, and another device that a thread computes on. Thread-safe.

#include <cstdint>

#include "kernels/cuda/gpu_types.h"

namespace penult::gpu::emulated {

// The calls that can fail: functions of gpu::rt, and kLaunch of a kernel.
enum class Call {
  kGetContext,
  kUseDevice,
  kAllocate,
  kAllocatePinned,
  kCreateStream,
  kCopy,
  kSynchronize,
  kBeginCapture,
  kEndCapture,
  kLaunchGraph,
  kLaunch,
};

struct Fault {
  int64_t call = 0;  // the first call from now on is 1; 0: none fails
  Error error = 0;
  bool lasts = false;  // all calls behind it fail, too: the device is gone
};

// Since the last Fault was set.
struct Happened {
  int64_t calls = 0, failed = 0;
  Call first = {};         // that failed
  bool recording = false;  // whether it was part of recording a graph
};

// What has been made and not been given back.
struct Alive {
  int64_t memory = 0, pinned = 0, streams = 0, events = 0, graphs = 0;
  bool operator==(const Alive&) const = default;
};

inline constexpr int kNoDevice = -1;

struct TestHooks {
  void (*set_fault)(const Fault& fault);
  Happened (*happened)();
  Alive (*alive)();
  // The calling thread's device: kNoDevice, 0, or one that is not ours, where our calls fail.
  void (*set_device)(int index);
  int (*device)();
};

// What penult_emulated.so exports, as `penult_emulated_test_hooks`.
const TestHooks& test_hooks();
using TestHooksFunction = const TestHooks*();
inline constexpr const char* kTestHooksSymbol = "penult_emulated_test_hooks";

// For the emulator's own files. What a call is to return before it does anything: the error that
// was asked for, that of a device which is not the calling thread's, or 0. Like CUDA's runtime, it
// makes the first device that of a thread which has none; what gives back does that, too.
Error begin_call(Call call, Stream stream = nullptr);
int current_device();
void set_current_device(int index);
enum class Thing { kMemory, kPinned, kStream, kEvent, kGraph };
void note_made(Thing thing);
void note_given_back(Thing thing);

}  // namespace penult::gpu::emulated
