#pragma once

// A problem with numbers in it, to be run by any kernel that accepts it.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "kernels/kernel.h"
#include "tests/kernels/corpus.h"

namespace penult::testing {

enum class Numbers {
  kIntegers,  // small: every sum is exact in f32
  kReals,     // in [-1, 1]
};

// Dense nhwc without halo or channel padding, as the tests compare it.
using Dense = std::vector<float>;

struct KernelCase {
  ProblemSpec spec;
  std::vector<Dense> src;      // one for each input
  Dense residual;              // empty unless the epilogue has one
  std::vector<Dense> weights;  // by slot; empty: not given

  // Numbers for `images` images from a seed made of the problem's text.
  static KernelCase make(const ProblemSpec& spec, Numbers numbers, int64_t images);
  // Absolute values and no activation: its result bounds every partial sum.
  KernelCase magnitudes() const;
};

struct RunPlan {
  int64_t n = 1;
  int threads = 1;
  int64_t max_batch = 1;  // of kernels that prepare
  bool halos = true;      // false: buffers as in a plan whose readers want nothing around a map
};

// Combinations of 1, 2 and `images` images with 1, 2 and 3 threads; only the least and the most of
// them where K alone makes the problem expensive: what the others would show, layers with fewer
// channels show.
std::vector<RunPlan> run_plans(const ProblemSpec& spec, int64_t images);

// Runs all parts of a kernel on buffers with guard pages, halos as the kernel asks for and garbage
// in the channel padding. Fails the current test if the kernel changes a source, a halo of dst or
// an image beyond plan.n. The result has plan.n images.
Dense run_kernel(const kernels::Kernel& kernel, const KernelCase& kernel_case, RunPlan plan);

// Runs the kernel and asserts that each element is within bound(index) of `expected`, which may
// have more images.
void expect_close(const kernels::Kernel& kernel, const KernelCase& kernel_case, RunPlan plan,
                  const Dense& expected, const std::function<double(size_t)>& bound);

// What a kernel that prepares would use for one image.
std::string implementation_of(const kernels::Kernel& kernel, const ProblemSpec& spec);

// The first that accepts the problem; null if none.
const kernels::Kernel* find_kernel(std::span<const kernels::Table> tables, const ProblemSpec& spec);

// The operator's kernel of that backend and level which accepts the problem first; null if none.
const kernels::Kernel* find_kernel(const ProblemSpec& spec, kernels::Backend backend, Isa isa);

// If the planner finds a native kernel for it at that level: the level's own or a lower one's.
bool runs_natively(const ProblemSpec& spec, Isa isa);

// If this machine can run it.
bool is_runnable(const kernels::Kernel& kernel);

}  // namespace penult::testing
