// What it costs that all threads finish a step before the next one starts: our pool against
// pthreadpool, which XNNPACK computes on. A run of a network has some 60 steps. Ours does them
// in one run() with a barrier after each, as engine/exec does; pthreadpool has no barrier and takes
// one call for each. See docs/decisions/0006-own-thread-pool.md.

#include <benchmark/benchmark.h>
#include <pthreadpool.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>

#include "bench/harness.h"
#include "engine/base/text.h"
#include "engine/base/thread_pool.h"

namespace penult::bench {
namespace {

constexpr int kSteps = 60;

// A thread's part of a step: so long, by the clock, whatever else the processor does.
struct Body {
  std::chrono::microseconds duration;

  void run() const {
    using Clock = std::chrono::steady_clock;
    if (duration.count() == 0) return;
    for (const auto end = Clock::now() + duration; Clock::now() < end;) continue;
  }
};

// What is above the work itself, for each step.
void report(benchmark::State& state, const Body& body, double seconds) {
  const double steps = static_cast<double>(state.iterations()) * kSteps;
  state.counters["us_a_step"] = 1e6 * seconds / steps - static_cast<double>(body.duration.count());
}

std::unique_ptr<ThreadPool> make_pool(int threads) {
  auto pool = ThreadPool::create(threads);
  if (!pool.ok()) throw std::runtime_error(pool.status().message());
  return std::move(pool).value();
}

void own_barriers(benchmark::State& state, int threads, const Body& body) {
  const auto pool = make_pool(threads);
  struct Context {
    ThreadPool& pool;
    const Body& body;
  } context{*pool, body};
  const auto steps = [](void* c, int thread) {
    const auto& [team, work] = *static_cast<Context*>(c);
    for (int step = 0; step < kSteps; ++step) {
      work.run();
      team.barrier(thread);
    }
  };
  const Stopwatch watch;
  for (auto _ : state) {
    if (!pool->run(steps, &context).ok()) return state.SkipWithError("no threads");
  }
  report(state, body, watch.seconds());
}

void own_runs(benchmark::State& state, int threads, const Body& body) {
  const auto pool = make_pool(threads);
  const auto step = [](void* work, int) { static_cast<const Body*>(work)->run(); };
  Body work = body;
  const Stopwatch watch;
  for (auto _ : state) {
    for (int i = 0; i < kSteps; ++i)
      if (!pool->run(step, &work).ok()) return state.SkipWithError("no threads");
  }
  report(state, body, watch.seconds());
}

void pthreadpool_calls(benchmark::State& state, int threads, const Body& body) {
  const std::unique_ptr<struct pthreadpool, decltype(&pthreadpool_destroy)> pool(
      pthreadpool_create(static_cast<size_t>(threads)), pthreadpool_destroy);
  if (!pool && threads > 1) return state.SkipWithError("no threads");
  const auto step = [](void* work, size_t) { static_cast<const Body*>(work)->run(); };
  Body work = body;
  const Stopwatch watch;
  for (auto _ : state) {
    for (int i = 0; i < kSteps; ++i)
      pthreadpool_parallelize_1d(pool.get(), step, &work, static_cast<size_t>(threads), 0);
  }
  report(state, body, watch.seconds());
}

void register_rows(Arguments& arguments) {
  struct Way {
    const char* name;
    void (*time)(benchmark::State&, int threads, const Body&);
  };
  constexpr Way kWays[] = {{"own_barriers", own_barriers},
                           {"own_runs", own_runs},
                           {"pthreadpool_calls", pthreadpool_calls}};
  const std::vector<int> bodies = {0, 20};  // microseconds
  for (const int threads : arguments.take_counts("--threads", default_threads())) {
    for (const int body : bodies) {
      for (const Way& way : kWays) {
        const std::string name = concat(way.name, "/body:", body, "us/threads:", threads);
        benchmark::RegisterBenchmark(name.c_str(),
                                     [=](benchmark::State& state) {
                                       way.time(state, threads, {std::chrono::microseconds(body)});
                                     })
            ->Unit(benchmark::kMicrosecond)
            ->UseRealTime();
      }
    }
  }
}

}  // namespace
}  // namespace penult::bench

int main(int argc, char** argv) {
  return penult::bench::run_program(argc, argv, benchmark::PrintDefaultHelp,
                                    penult::bench::register_rows);
}
