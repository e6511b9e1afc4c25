#pragma once

// Runs kernels on problems with numbers in them, with guards around all memory.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "bench/shapes/numbers.h"
#include "kernels/kernel.h"
#include "tests/kernels/numerics.h"

namespace penult::testing {

using shapes::Dense;
using shapes::KernelCase;
using shapes::Numbers;

// Absolute values and no activation: its result bounds every partial sum.
KernelCase magnitudes_of(const KernelCase& original);

struct RunPlan {
  int64_t n = 1;
  int threads = 1;
  int64_t max_batch = 1;  // of kernels that prepare
  bool dense = false;     // src[0] without channels of padding: Kernel::dense_src
  int64_t band_rows = 0;  // not 0: one thread, so many rows of dst in a call (Kernel::row_window)
  bool in_place = false;  // dst in the residual's memory: Kernel::overwrites_residual
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

// The operator's kernel of that backend, level and class which accepts the problem first; null if
// none.
const kernels::Kernel* find_kernel(
    const ProblemSpec& spec, kernels::Backend backend, Isa isa,
    kernels::NumericClass numeric_class = kernels::NumericClass::kDirect);

// If the planner finds a native kernel for it at that level: the level's own or a lower one's.
bool runs_natively(const ProblemSpec& spec, Isa isa);

// If this machine can run it.
bool is_runnable(const kernels::Kernel& kernel);

}  // namespace penult::testing
