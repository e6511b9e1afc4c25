#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "penult/status.h"

namespace penult {

// A fixed team of threads for static work: the caller of run() is thread 0, the pool owns the rest.
// Idle threads spin for some 50 microseconds, so that one layer after another finds them awake, and
// then sleep. One run() at a time; different pools are independent. A child made by fork(), which
// has none of its parent's threads, starts its own at its first run().
class ThreadPool {
 public:
  static constexpr int kMaxThreads = 1024;

  // `threads` counts the caller. InvalidArgument outside 1..kMaxThreads, OutOfMemory if the system
  // grants no more threads.
  static Result<std::unique_ptr<ThreadPool>> create(int threads);
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();  // joins; in a child after fork() there is nothing to join

  int threads() const { return threads_; }
  // Calls f(context, t) once for every t in [0, threads()), concurrently; returns when all are
  // done. Allocates nothing and always succeeds, but for the first run in a child after fork():
  // OutOfMemory if the system grants no threads. f must not throw and must not call run() of the
  // same pool.
  Status run(void (*f)(void* context, int thread), void* context);
  // Inside run(): returns once all threads have called it. What they wrote before is then visible
  // to all.
  void barrier(int thread);

 private:
  explicit ThreadPool(int threads);
  Status start_workers();
  Status restart_after_fork();
  void work(int thread);

  // Each on its own cache line: all threads watch them.
  alignas(64) std::atomic<uint32_t> run_number_{0};
  alignas(64) std::atomic<uint32_t> unfinished_{0};  // pool threads still in this run
  alignas(64) std::atomic<uint32_t> arrived_{0};     // threads waiting in this barrier
  alignas(64) std::atomic<uint32_t> barrier_number_{0};

  // Written between runs by the caller only; published by run_number_.
  alignas(64) void (*function_)(void*, int) = nullptr;
  void* context_ = nullptr;
  bool stopping_ = false;

  const int threads_, spins_in_run_;
  pid_t owner_ = 0;  // the process whose threads workers_ are
  std::vector<std::thread> workers_;
};

}  // namespace penult
