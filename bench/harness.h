#pragma once

// What the benchmark programs share: their main(), and what a time is held against.

#include <chrono>
#include <functional>
#include <vector>

#include "bench/arguments.h"
#include "engine/base/cpu_features.h"
#include "kernels/backend_module.h"

namespace penult::bench {

// Runs Google Benchmark over what `register_rows` registers. Returns the program's exit code: 2 for
// wrong usage.
int run_program(int argc, char** argv, void (*print_help)(),
                const std::function<void(Arguments&)>& register_rows);

// The backends in modules that can be loaded here; the report's context names their libraries, or
// says "none".
struct LoadedModule {
  const char* backend;
  const kernels::BackendModule* module;
};
std::vector<LoadedModule> loaded_modules();

// 1, and 2 where this process may use two processors.
std::vector<int> default_threads();

// Floating-point operations a second at best, of so many threads with the instructions of `isa`.
// Takes some milliseconds. To be asked right before what it is compared with: clocks change.
double fma_peak(Isa isa, int threads);

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

}  // namespace penult::bench
