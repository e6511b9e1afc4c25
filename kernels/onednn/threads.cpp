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

void run_team(int threads, void (*f)(void* context, int thread), void* context) {
  if (threads == 1) return f(context, 0);
    // A loop and not just a region: with OMP_THREAD_LIMIT or OMP_DYNAMIC a team may be smaller, and
    // no part may be left out.
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int thread = 0; thread < threads; ++thread) f(context, thread);
}

Status check_process(int threads) {
  // GNU OpenMP waits forever for threads that fork() did not copy (GCC PR 58378).
  static std::atomic<pid_t> owner = 0;
  if (threads == 1) return {};
  const pid_t process = getpid();
  pid_t first = 0;
  if (owner.compare_exchange_strong(first, process) || first == process) return {};
  return Status(StatusCode::kDevice,
                "backend onednn: this process was forked from one that computed with OpenMP's "
                "threads, which it has not; use one thread, or fork before the first run");
}

}  // namespace penult::kernels::onednn
