#include "bench/harness.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>

#include "engine/base/text.h"
#include "engine/base/thread_pool.h"
#include "kernels/probe/probe.h"
#include "penult/version.h"

namespace penult::bench {

int run_program(int argc, char** argv, void (*print_help)(),
                const std::function<void(Arguments&)>& register_rows) {
  // As the program does, see tools/penult/main.cpp; before any thread could read the environment.
  setenv("GOMP_SPINCOUNT", "2000", 0);
  benchmark::Initialize(&argc, argv, print_help);
  benchmark::AddCustomContext("penult", version());
  benchmark::AddCustomContext("isa", isa_name(detected_isa()));
  try {
    Arguments arguments(argc, argv);
    register_rows(arguments);
    arguments.expect_none();
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 2;
  }
}

std::vector<LoadedModule> loaded_modules() {
  std::vector<LoadedModule> loaded;
  for (const kernels::ModuleEntry& entry : kernels::all_modules()) {
    if (entry.device != kernels::DeviceKind::kCpu) continue;  // their memory is elsewhere
    const char* backend = kernels::backend_name(entry.backend);
    const auto module = entry.load();
    benchmark::AddCustomContext(backend, module.ok() ? (*module)->library : "none");
    if (module.ok())
      loaded.push_back({backend, *module});
    else
      std::fprintf(stderr, "%s\n", module.status().message().c_str());
  }
  return loaded;
}

std::vector<int> default_threads() {
  return usable_cpus() > 1 ? std::vector<int>{1, 2} : std::vector<int>{1};
}

double fma_peak(Isa isa, int threads) {
  constexpr int kTries = 5;
  constexpr int64_t kRounds = 200'000;  // a millisecond
  const auto pool = ThreadPool::create(threads);
  if (!pool.ok()) throw std::runtime_error(pool.status().message());
  struct Context {
    Isa isa;
    int64_t operations;  // of one thread
  } context{isa, 0};
  const auto probe = [](void* c, int thread) {
    auto& [level, operations] = *static_cast<Context*>(c);
    const int64_t done = kernels::run_fma_probe(level, kRounds);
    if (thread == 0) operations = done;
  };
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const Stopwatch watch;
    const Status run = (*pool)->run(probe, &context);
    if (!run.ok()) throw std::runtime_error(run.message());
    best = std::max(best, static_cast<double>(context.operations * threads) / watch.seconds());
  }
  return best;
}

}  // namespace penult::bench
