#include "engine/base/thread_pool.h"

#include <pthread.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <exception>

#include "engine/base/check.h"
#include "engine/base/cpu_features.h"
#include "engine/base/text.h"

namespace penult {
namespace {

// Pauses within a run before a thread sleeps. The others are expected within microseconds if each
// has a processor, or some hundred where a neighbour slows one down, and waking up a virtual
// processor takes as long: with 2,000 pauses ResNet-50 took 4 % more time (docs/decisions/0006). In
// a pool of more threads than processors the one who waits had better give up its own.
constexpr int kSpinsInRun = 10'000, kSpinsIfCrowded = 2'000;
constexpr auto kSpinBetweenRuns = std::chrono::microseconds(50);

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Waits until `word` differs from `old`: spinning first, then asleep in the kernel.
void wait_in_run(const std::atomic<uint32_t>& word, uint32_t old, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (word.load(std::memory_order_acquire) != old) return;
    pause();
  }
  word.wait(old, std::memory_order_acquire);
}

void wait_between_runs(const std::atomic<uint32_t>& word, uint32_t old) {
  using Clock = std::chrono::steady_clock;
  for (const auto end = Clock::now() + kSpinBetweenRuns; Clock::now() < end;) {
    for (int i = 0; i < 32; ++i) {  // reading the clock is slower than a pause
      if (word.load(std::memory_order_acquire) != old) return;
      pause();
    }
  }
  word.wait(old, std::memory_order_acquire);
}

// Threads started meanwhile inherit a mask that blocks everything: signals are the business of the
// program's own threads.
class BlockSignals {
 public:
  BlockSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old_);
  }
  ~BlockSignals() { pthread_sigmask(SIG_SETMASK, &old_, nullptr); }
  BlockSignals(const BlockSignals&) = delete;
  BlockSignals& operator=(const BlockSignals&) = delete;

 private:
  sigset_t old_;
};

// After fork() the copies of the parent's thread handles name nothing: neither join nor detach is
// allowed, and a destructor would end the program. They are kept for good, in a list without a
// lock: several pools may come here at a time, and a lock might have been taken when the process
// forked.
void abandon(std::vector<std::thread>& workers) {
  struct Kept {
    std::vector<std::thread> workers;
    Kept* next;
  };
  static std::atomic<Kept*> first{nullptr};
  auto* kept = new Kept{std::move(workers), first.load()};
  while (!first.compare_exchange_weak(kept->next, kept)) {
  }
  workers.clear();
}

}  // namespace

ThreadPool::ThreadPool(int threads)
    : threads_(threads), spins_in_run_(threads <= usable_cpus() ? kSpinsInRun : kSpinsIfCrowded) {}

Result<std::unique_ptr<ThreadPool>> ThreadPool::create(int threads) {
  if (threads < 1 || threads > kMaxThreads) {
    return Status(StatusCode::kInvalidArgument,
                  concat("number of threads: expected 1..", kMaxThreads, ", got ", threads));
  }
  std::unique_ptr<ThreadPool> pool(new ThreadPool(threads));
  PENULT_RETURN_IF_ERROR(pool->start_workers());
  return pool;
}

Status ThreadPool::start_workers() {
  owner_ = ::getpid();
  try {
    workers_.reserve(static_cast<size_t>(threads_ - 1));
    const BlockSignals block;
    while (static_cast<int>(workers_.size()) < threads_ - 1) {
      const int t = static_cast<int>(workers_.size()) + 1;
      workers_.emplace_back([this, t] { work(t); });
    }
  } catch (const std::exception& e) {  // bad_alloc or system_error; the destructor joins the others
    return {
        StatusCode::kOutOfMemory,
        concat("cannot start ", threads_, " threads: ", escape_name(e.what()), "; ask for fewer")};
  }
  return {};
}

Status ThreadPool::restart_after_fork() {
  abandon(workers_);
  run_number_ = unfinished_ = arrived_ = barrier_number_ = 0;
  return start_workers();
}

ThreadPool::~ThreadPool() {
  if (::getpid() != owner_) {
    abandon(workers_);
    return;
  }
  stopping_ = true;
  run_number_.fetch_add(1, std::memory_order_release);
  run_number_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

Status ThreadPool::run(void (*f)(void*, int), void* context) {
  if (threads_ == 1) {
    f(context, 0);
    return {};
  }
  if (::getpid() != owner_) PENULT_RETURN_IF_ERROR(restart_after_fork());
  function_ = f;
  context_ = context;
  unfinished_.store(static_cast<uint32_t>(threads_ - 1), std::memory_order_relaxed);
  run_number_.fetch_add(1, std::memory_order_release);
  run_number_.notify_all();
  f(context, 0);
  for (uint32_t left; (left = unfinished_.load(std::memory_order_acquire)) != 0;) {
    wait_in_run(unfinished_, left, spins_in_run_);
  }
  return {};
}

void ThreadPool::work(int thread) {
  for (uint32_t seen = 0;;) {
    wait_between_runs(run_number_, seen);
    // No run can start before this thread has finished the last one, so none is ever missed.
    ++seen;
    if (stopping_) return;
    function_(context_, thread);
    if (unfinished_.fetch_sub(1, std::memory_order_acq_rel) == 1) unfinished_.notify_one();
  }
}

void ThreadPool::barrier(int thread) {
  static_cast<void>(thread);  // every thread does the same
  if (threads_ == 1) return;
  const uint32_t number = barrier_number_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<uint32_t>(threads_)) {
    arrived_.store(0, std::memory_order_relaxed);
    barrier_number_.fetch_add(1, std::memory_order_release);
    barrier_number_.notify_all();
  } else {
    wait_in_run(barrier_number_, number, spins_in_run_);
  }
}

}  // namespace penult
