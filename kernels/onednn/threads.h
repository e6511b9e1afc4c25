#pragma once

// oneDNN computes with OpenMP's threads, and decides by omp_get_max_threads(), of the thread that
// calls it, how to split the work.

#include "penult/status.h"

namespace penult::kernels::onednn {

// While it lives, OpenMP gives this thread teams of that size, whatever OMP_NUM_THREADS says.
class TeamSize {
 public:
  explicit TeamSize(int threads);
  ~TeamSize();
  TeamSize(const TeamSize&) = delete;
  TeamSize& operator=(const TeamSize&) = delete;

 private:
  int before_;
};

// See BackendModule. Everything that makes oneDNN compute asks check_process first.
void run_team(int threads, void (*f)(void* context, int thread), void* context);
Status check_process(int threads);

}  // namespace penult::kernels::onednn
