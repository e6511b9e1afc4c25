#pragma once

// A backend in a shared object of its own, which is loaded when it is first asked for: see
// docs/decisions/0005-onednn-in-a-module.md.

#include <cstddef>
#include <span>

#include "kernels/kernel.h"
#include "kernels/prepared.h"
#include "penult/status.h"
#include "penult/version.h"

namespace penult::kernels {

// Module and library pass C++ objects to each other, so both must come from one source and one
// compiler. This is no proof of that; it catches a module that an earlier build left behind.
struct ModuleStamp {
  int interface = 4;  // counts changes of this header, of prepared.h and device.h
  int major = PENULT_VERSION_MAJOR, minor = PENULT_VERSION_MINOR, patch = PENULT_VERSION_PATCH;
  size_t kernel_bytes = sizeof(Kernel), problem_bytes = sizeof(Problem);
  bool operator==(const ModuleStamp&) const = default;
};

struct BackendModule {
  ModuleStamp stamp;              // stays the first member
  const char* file;               // "penult_onednn.so": which module it is
  const char* library;            // "oneDNN 2.6.3"
  std::span<const Table> tables;  // every row has `prepare`
  // Calls f(context, t) once for every t in [0, threads), concurrently, on the threads that the
  // library computes with. Our own pool beside them would fight for the same processors.
  void (*run_team)(int threads, void (*f)(void* context, int thread), void* context);
  // To be asked before run_team. Device if the library cannot work in this process: it was forked
  // from one that had a team, whose threads it has not.
  Status (*check_process)(int threads);
  // Not null: the kernels run on a device, in memory of its own (then the two above are null, and
  // no other kernels can help out). Opens the device of that number. Device: there is none, with
  // the reason and what to do.
  Result<std::unique_ptr<Device>> (*open_device)(int index) = nullptr;
  // Whether the backend, one that the tables have rows of, can work here. Device: its library is
  // missing, with what to do. Null: always.
  Status (*check_backend)(Backend backend) = nullptr;
  // Channels of maps are padded to a multiple of so many.
  int64_t channel_pad = kChannelPad;
};

// What a module exports, as `penult_backend_module`. `isa` caps what the library may use; only the
// first call in a process can set it.
using BackendModuleFunction = const BackendModule*(Isa isa);
inline constexpr const char* kBackendModuleSymbol = "penult_backend_module";

// A backend that lies in a module. load() opens it at the first call; Device, with what to install,
// if that is impossible here.
struct ModuleEntry {
  DeviceKind device;
  Backend backend;
  Result<const BackendModule*> (*load)();
};

// THE list of them (registry.cpp): plans, the program and benchmarks walk it.
std::span<const ModuleEntry> all_modules();

}  // namespace penult::kernels
