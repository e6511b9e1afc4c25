// The runtime over the host's memory: a device named "emulated".

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "kernels/cuda/emulated/checker.h"
#include "kernels/cuda/emulated/emulator.h"
#include "kernels/cuda/emulated/faults.h"
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

// Notes what is alive from here on.
Error counted(Error error, void* const* made, emu::Thing thing) {
  if (error == 0 && *made != nullptr) emu::note_made(thing);
  return error;
}

template <class T>
Error make(void** p, emu::Thing thing, T value = {}) {
  *p = new (std::nothrow) T(std::move(value));
  return counted(*p == nullptr ? emu::kOutOfMemory : 0, p, thing);
}

template <class T>
void destroy(void* p, emu::Thing thing) {
  if (p != nullptr) emu::note_given_back(thing);
  delete static_cast<T*>(p);
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

// A context is a device's number, and one more: null is none.
Error get_context(Context* context) {
  *context = nullptr;
  if (const Error error = emu::begin_call(emu::Call::kGetContext)) return error;
  *context = reinterpret_cast<Context>(static_cast<intptr_t>(emu::current_device() + 1));
  return 0;
}

Error set_context(Context context) {
  emu::set_current_device(static_cast<int>(reinterpret_cast<intptr_t>(context)) - 1);
  return 0;
}

Error use_device(int index) {
  if (const Error error = emu::begin_call(emu::Call::kUseDevice)) return error;
  if (index != 0) return emu::kInvalidDevice;
  emu::set_current_device(index);
  return 0;
}

Error allocate(void** p, size_t bytes) {
  *p = nullptr;
  if (const Error error = emu::begin_call(emu::Call::kAllocate)) return error;
  const bool plain = bytes == 0 || bytes > kMemoryBytes || !emu::options().check;
  const Error error =
      plain ? allocate_plain(p, bytes) : emu::Checker::instance().allocate(p, bytes);
  return counted(error, p, emu::Thing::kMemory);
}

void release(void* p) {
  if (p == nullptr) return;
  emu::note_given_back(emu::Thing::kMemory);
  if (!emu::Checker::instance().release(p)) std::free(p);
}

Error allocate_pinned(void** p, size_t bytes) {
  *p = nullptr;
  if (const Error error = emu::begin_call(emu::Call::kAllocatePinned)) return error;
  return counted(allocate_plain(p, bytes), p, emu::Thing::kPinned);
}
void release_pinned(void* p) {
  if (p != nullptr) emu::note_given_back(emu::Thing::kPinned);
  std::free(p);
}

Error create_stream(Stream* stream) {
  if (const Error error = emu::begin_call(emu::Call::kCreateStream)) return error;
  return make<emu::StreamState>(stream, emu::Thing::kStream);
}
void destroy_stream(Stream stream) { destroy<emu::StreamState>(stream, emu::Thing::kStream); }

Error copy_async(void* dst, const void* src, size_t bytes, Stream stream) {
  if (const Error error = emu::begin_call(emu::Call::kCopy, stream)) return error;
  return emu::give(stream, [=] { return copy(dst, src, bytes); });
}

Error synchronize(Stream stream) {
  if (const Error error = emu::begin_call(emu::Call::kSynchronize, stream)) return error;
  return stream != nullptr && state_of(stream)->records ? emu::kStreamRecords : 0;
}

Error create_event(Event* event) { return make<EventState>(event, emu::Thing::kEvent); }
void destroy_event(Event event) { destroy<EventState>(event, emu::Thing::kEvent); }

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
  if (const Error error = emu::begin_call(emu::Call::kBeginCapture, stream)) return error;
  if (stream == nullptr) return emu::kInvalidHandle;
  if (state_of(stream)->records) return emu::kStreamRecords;
  *state_of(stream) = {.records = true, .recorded = {}};
  return 0;
}

Error end_capture(Stream stream, Graph* graph) {
  *graph = nullptr;
  if (stream == nullptr || !state_of(stream)->records) return emu::kInvalidValue;
  const Error fault = emu::begin_call(emu::Call::kEndCapture, stream);
  auto recorded = std::exchange(*state_of(stream), {}).recorded;  // in any case it is over
  if (fault != 0) return fault;
  return make<GraphState>(graph, emu::Thing::kGraph, {std::move(recorded)});
}

Error launch(Graph graph, Stream stream) {
  if (const Error error = emu::begin_call(emu::Call::kLaunchGraph, stream)) return error;
  return emu::give(stream, [graph]() -> Error {
    for (const emu::Work& work : static_cast<GraphState*>(graph)->work) {
      if (const Error error = work()) return error;
    }
    return 0;
  });
}

void destroy_graph(Graph graph) { destroy<GraphState>(graph, emu::Thing::kGraph); }

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
