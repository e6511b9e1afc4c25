// The runtime over the host's memory: a device named "emulated".

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "kernels/cuda/emulated/checker.h"
#include "kernels/cuda/emulated/emulator.h"
#include "kernels/cuda/emulated/streams.h"
#include "kernels/cuda/runtime.h"

namespace penult::gpu::rt {
namespace {

using Clock = std::chrono::steady_clock;
namespace emu = emulated;

struct GraphState {
  std::vector<emu::Work> work;
};

struct EventState {
  Clock::time_point time;
  bool recorded = false;
};

constexpr size_t kAlignment = 256;
// More than any device has; allocators of sanitizers end the program from 2^40 on.
constexpr size_t kMemoryBytes = size_t{1} << 39;

emu::StreamState* state_of(Stream stream) { return static_cast<emu::StreamState*>(stream); }

Error allocate_plain(void** p, size_t bytes) {
  *p = nullptr;
  if (bytes == 0) return 0;
  if (bytes > kMemoryBytes) return emu::kOutOfMemory;
  *p = std::aligned_alloc(kAlignment, (bytes + kAlignment - 1) / kAlignment * kAlignment);
  return *p == nullptr ? emu::kOutOfMemory : 0;
}

Error copy(void* dst, const void* src, size_t bytes) {
  if (bytes == 0) return 0;
  if (emu::options().check) {
    if (const Error error = emu::Checker::instance().copies(dst, src, bytes)) return error;
  }
  std::memmove(dst, src, bytes);
  return 0;
}

template <class T>
Error make(void** p) {
  *p = new (std::nothrow) T;
  return *p == nullptr ? emu::kOutOfMemory : 0;
}

}  // namespace

Error device_count(int* count) {
  *count = 1;
  return 0;
}

Error device_info(int index, DeviceInfo* info) {
  if (index != 0) return emu::kInvalidDevice;
  *info = {.name = "emulated", .major = 8, .minor = 0};
  return 0;
}

Error use_device(int index) { return index == 0 ? 0 : emu::kInvalidDevice; }

Error allocate(void** p, size_t bytes) {
  if (bytes == 0 || bytes > kMemoryBytes || !emu::options().check) return allocate_plain(p, bytes);
  *p = nullptr;
  return emu::Checker::instance().allocate(p, bytes);
}

void release(void* p) {
  if (p != nullptr && !emu::Checker::instance().release(p)) std::free(p);
}

Error allocate_pinned(void** p, size_t bytes) { return allocate_plain(p, bytes); }
void release_pinned(void* p) { std::free(p); }

Error create_stream(Stream* stream) { return make<emu::StreamState>(stream); }
void destroy_stream(Stream stream) { delete state_of(stream); }

Error copy_async(void* dst, const void* src, size_t bytes, Stream stream) {
  return emu::give(stream, [=] { return copy(dst, src, bytes); });
}

Error synchronize(Stream stream) {
  return stream != nullptr && state_of(stream)->records ? emu::kStreamRecords : 0;
}

Error create_event(Event* event) { return make<EventState>(event); }
void destroy_event(Event event) { delete static_cast<EventState*>(event); }

Error record(Event event, Stream stream) {
  return emu::give(stream, [event] {
    *static_cast<EventState*>(event) = {Clock::now(), true};
    return 0;
  });
}

Error milliseconds_between(float* ms, Event begin, Event end) {
  const auto& from = *static_cast<EventState*>(begin);
  const auto& to = *static_cast<EventState*>(end);
  if (!from.recorded || !to.recorded) return emu::kInvalidHandle;
  *ms = std::chrono::duration<float, std::milli>(to.time - from.time).count();
  return 0;
}

Error begin_capture(Stream stream) {
  if (stream == nullptr) return emu::kInvalidHandle;
  if (state_of(stream)->records) return emu::kStreamRecords;
  *state_of(stream) = {.records = true, .recorded = {}};
  return 0;
}

Error end_capture(Stream stream, Graph* graph) {
  *graph = nullptr;
  if (stream == nullptr || !state_of(stream)->records) return emu::kInvalidValue;
  auto recorded = std::exchange(*state_of(stream), {}).recorded;
  *graph = new (std::nothrow) GraphState{std::move(recorded)};
  return *graph == nullptr ? emu::kOutOfMemory : 0;
}

Error launch(Graph graph, Stream stream) {
  return emu::give(stream, [graph]() -> Error {
    for (const emu::Work& work : static_cast<GraphState*>(graph)->work) {
      if (const Error error = work()) return error;
    }
    return 0;
  });
}

void destroy_graph(Graph graph) { delete static_cast<GraphState*>(graph); }

std::string error_text(Error error) {
  const auto name = [error]() -> std::string {
    switch (error) {
      case 0:
        return "no error";
      case emu::kInvalidValue:
        return "invalid argument";
      case emu::kOutOfMemory:
        return "out of memory";
      case emu::kInvalidConfiguration:
        return "invalid configuration of a launch";
      case emu::kInvalidDevice:
        return "no such device";
      case emu::kInvalidHandle:
        return "invalid handle";
      case emu::kStreamRecords:
        return "not while the stream records";
      case emu::kLaunchFailed: {
        const std::string message = emu::first_message();
        return message.empty() ? "a kernel failed" : "a kernel failed: " + message;
      }
      default:
        return "unknown error";
    }
  };
  return name() + " (" + std::to_string(error) + ")";
}

bool is_out_of_memory(Error error) { return error == emu::kOutOfMemory; }

}  // namespace penult::gpu::rt
