#include "kernels/onednn/threads.h"

#include <omp.h>
#include <unistd.h>

#include <atomic>

namespace penult::kernels::onednn {

TeamSize::TeamSize(int threads) : before_(omp_get_max_threads()) {
  if (before_ != threads) omp_set_num_threads(threads);
}

TeamSize::~TeamSize() {
  if (omp_get_max_threads() != before_) omp_set_num_threads(before_);
}

// A loop and not just a region: with OMP_THREAD_LIMIT or OMP_DYNAMIC a team may be smaller, and no
// part may be left out.
void run_team(int threads, void (*f)(void* context, int thread), void* context) {
  if (threads == 1) return f(context, 0);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; ++thread) f(context, thread);
}

Status check_process(int threads) {
  // In a child of a process that had a team, GNU OpenMP waits forever for threads that fork() did
  // not copy, even if only one is asked for (N. J. Smith, gcc-patches, February 2014).
  static std::atomic<pid_t> team_of = 0;
  const pid_t process = getpid();
  pid_t seen = team_of.load(std::memory_order_relaxed);
  if (seen == 0 && threads > 1 && team_of.compare_exchange_strong(seen, process)) return {};
  if (seen == 0 || seen == process) return {};
  return Status(
      StatusCode::kDevice,
      "backend onednn: this process was forked from one that computed with several "
      "threads, which OpenMP does not survive; fork before the first run, or run with one "
      "thread before");
}

}  // namespace penult::kernels::onednn
