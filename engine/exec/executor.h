#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <vector>

#include "engine/base/aligned_buffer.h"
#include "engine/base/thread_pool.h"
#include "engine/exec/runner.h"
#include "engine/plan/plan.h"

namespace penult {

// The memory of one run at a time over a plan that outlives it. The threads are a pool of its own
// or, if the plan uses a backend module, those of the module's library: both would be too many.
class Workspace : public Runner {
 public:
  static Result<std::unique_ptr<Workspace>> create(const Plan& plan);

  // Allocates nothing (a module's library may). Fails only where the pool does, after fork(), or
  // the library. A step is finished when all threads have finished it.
  Status run(const InputImages& images, int64_t n, std::span<const std::span<float>> features,
             std::span<double> step_ms = {}) override;

 private:
  explicit Workspace(const Plan& plan) : plan_(plan) {}
  Status bind_step(const Step& step);
  // Images of the run in progress that go through the steps together.
  struct Group {
    int64_t first, n;
  };
  void run_thread(int thread);
  Status run_by_team();
  void run_step(size_t index, Group group, Part part);
  void run_chain(const Chain& chain, int64_t n, Part part);
  void zero_ring_edges(const Chain& chain, int thread);
  void run_rows(const Chain& chain, int64_t n, int thread, int64_t image, kernels::Range rows);
  void compute_rows(int index, int64_t n, int thread, int64_t image, kernels::Range rows);
  void note_time(size_t step);
  kernels::RunArgs args_of(size_t index, int64_t n, Part part);
  float* pixel_zero(int buffer, int thread);

  const Plan& plan_;
  AlignedBuffer arena_, scratch_, rings_;
  std::unique_ptr<ThreadPool> pool_;
  // Of each thread one pointer an input for each step, concatenated; src_begin_[s] is where step s
  // starts. Only the addresses of rings differ from thread to thread.
  std::vector<std::vector<const float*>> src_pointers_;
  std::vector<size_t> src_begin_;
  std::vector<std::unique_ptr<kernels::BoundKernel>> bound_;  // one a step; null: not prepared
  // Of the run in progress.
  InputImages images_;
  int64_t n_ = 0;
  std::span<const std::span<float>> features_;
  std::span<double> step_ms_;
  std::chrono::steady_clock::time_point step_start_;
};

}  // namespace penult
