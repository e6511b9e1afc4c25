#include "kernels/cuda/emulated/faults.h"

#include <mutex>

#include "kernels/cuda/emulated/emulator.h"
#include "kernels/cuda/emulated/streams.h"

namespace penult::gpu::emulated {
namespace {

struct State {
  std::mutex mutex;
  Fault fault;
  Happened happened;
  Alive alive;
};

State& state() {
  static auto* state = new State;  // never destroyed, like the checker
  return *state;
}

thread_local int device_of_thread = kNoDevice;

// Ours is the first.
bool is_elsewhere() {
  if (device_of_thread == kNoDevice) device_of_thread = 0;
  return device_of_thread != 0;
}

bool records(Stream stream) {
  return stream != nullptr && static_cast<StreamState*>(stream)->records;
}

int64_t& counter(Alive& alive, Thing thing) {
  switch (thing) {
    case Thing::kMemory:
      return alive.memory;
    case Thing::kPinned:
      return alive.pinned;
    case Thing::kStream:
      return alive.streams;
    case Thing::kEvent:
      return alive.events;
    case Thing::kGraph:
      break;
  }
  return alive.graphs;
}

}  // namespace

Error begin_call(Call call, Stream stream) {
  {
    const std::lock_guard lock(state().mutex);
    const Fault& fault = state().fault;
    Happened& happened = state().happened;
    ++happened.calls;
    const bool fails = fault.lasts ? happened.calls >= fault.call : happened.calls == fault.call;
    if (fault.call > 0 && fails) {
      if (++happened.failed == 1) {
        happened.first = call;
        happened.recording = records(stream);
      }
      return fault.error;
    }
  }
  const bool needs_device = call != Call::kGetContext && call != Call::kUseDevice;
  return needs_device && is_elsewhere() ? kInvalidDevice : 0;
}

int current_device() { return device_of_thread; }
void set_current_device(int index) { device_of_thread = index; }

void note_made(Thing thing) {
  const std::lock_guard lock(state().mutex);
  ++counter(state().alive, thing);
}

void note_given_back(Thing thing) {
  is_elsewhere();
  const std::lock_guard lock(state().mutex);
  --counter(state().alive, thing);
}

const TestHooks& test_hooks() {
  static constexpr TestHooks kHooks = {
      .set_fault =
          [](const Fault& fault) {
            const std::lock_guard lock(state().mutex);
            state().fault = fault;
            state().happened = {};
          },
      .happened =
          [] {
            const std::lock_guard lock(state().mutex);
            return state().happened;
          },
      .alive =
          [] {
            const std::lock_guard lock(state().mutex);
            return state().alive;
          },
      .set_device = set_current_device,
      .device = current_device,
  };
  return kHooks;
}

}  // namespace penult::gpu::emulated
