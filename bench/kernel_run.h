#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bench/shapes/numbers.h"
#include "engine/base/aligned_buffer.h"
#include "engine/base/thread_pool.h"
#include "kernels/backend_module.h"
#include "kernels/kernel.h"
#include "kernels/prepared.h"
#include "penult/status.h"

namespace penult::bench {

// A kernel with a problem that it takes.
struct KernelSetting {
  const kernels::Kernel* kernel = nullptr;
  const kernels::BackendModule* module = nullptr;  // that the kernel is of; null: the registry's
  const shapes::ProblemSpec* spec = nullptr;
  int n = 1;  // images
  int threads = 1;
};

// The same, ready to be run again and again: weights packed, sources with the zeros around them
// that the kernel asks for and no others, as in a plan whose next step asks for none.
class KernelRun {
 public:
  static Result<std::unique_ptr<KernelRun>> create(const KernelSetting& setting);

  Status run();
  // Puts other data into the caches of each thread that computes.
  Status evict_caches();
  // What a library chose for the problem; empty for kernels of ours.
  std::string implementation() const;

 private:
  explicit KernelRun(const KernelSetting& setting) : setting_(setting) {}
  Status place_tensors();
  Status start_own();
  Status start_prepared();
  Status on_each_thread(void (*f)(void*, int), void* context);

  const KernelSetting setting_;
  kernels::Problem problem_;
  std::vector<shapes::Dense> weights_;
  std::vector<AlignedBuffer> sources_;
  std::vector<const float*> src_;
  AlignedBuffer residual_, dst_, packed_, scratch_, other_data_;
  size_t scratch_bytes_ = 0;          // of each thread
  std::unique_ptr<ThreadPool> pool_;  // null: the library brings its threads
  std::unique_ptr<kernels::PreparedKernel> prepared_;
  std::unique_ptr<kernels::BoundKernel> bound_;
};

}  // namespace penult::bench
