#pragma once

// Runs kernels that work on a device, rows with `prepare`, on problems with numbers in them.

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "bench/shapes/numbers.h"
#include "kernels/cuda/emulated/emulator.h"
#include "kernels/device.h"
#include "kernels/kernel.h"
#include "tests/kernels/numerics.h"

namespace penult::testing {

// The layout of all maps on a device (kernels/cuda/row.h), for a problem without strides.
kernels::Problem laid_out_for_device(const shapes::ProblemSpec& spec);
void lay_out_for_device(kernels::Problem& problem);

struct DevicePlan {
  int64_t n = 1;
  int64_t max_batch = 1;
};

struct DeviceRun {
  Status status;          // of the kernel
  std::string complaint;  // what it did besides computing; empty if nothing
  shapes::Dense dst;      // plan.n images; none unless status is Ok
};

// Packs, binds and runs the kernel for the first `n` of the case's images, in the precision of the
// row. Channels of padding hold garbage in sources, dst holds NaNs before. Complains if the kernel
// changes a source, writes images beyond plan.n or leaves NaNs or infinities in the padding of dst.
// Throws std::runtime_error where the device or prepare() refuses.
DeviceRun try_on_device(kernels::Device& device, const kernels::Kernel& kernel,
                        const shapes::KernelCase& kernel_case, DevicePlan plan);

// The same for a problem that no text describes, laid out; the case's is not looked at.
DeviceRun try_on_device(kernels::Device& device, const kernels::Kernel& kernel,
                        const kernels::Problem& problem, const shapes::KernelCase& numbers,
                        DevicePlan plan);

// The first one; failures and complaints fail the current test.
shapes::Dense run_on_device(kernels::Device& device, const kernels::Kernel& kernel,
                            const shapes::KernelCase& kernel_case, DevicePlan plan);

// Runs the kernel and asserts that each element is within bound(index) of `expected`, which may
// have more images; `hint` is printed with a failure.
void expect_close_on_device(kernels::Device& device, const kernels::Kernel& kernel,
                            const shapes::KernelCase& kernel_case, DevicePlan plan,
                            const shapes::Dense& expected,
                            const std::function<double(size_t)>& bound,
                            const std::string& hint = {});

// The case that a kernel of that precision sees: for f16 sources, residual and the weights of slot
// 0 are rounded to f16. (Bias and the like stay f32 in every kernel.)
shapes::KernelCase rounded_to(kernels::Precision precision, const shapes::KernelCase& c);

// `expected` as a kernel stores it that computes without an error.
shapes::Dense rounded_to(kernels::Precision precision, const shapes::Dense& expected);

// How far a kernel may be off that computes in f32 within `f32_bound` of `expected` and then rounds
// once to f16. The unrounded result r is at most |expected| + f32_bound; rounding it to nearest
// brings at most 2^-11 |r|, or half a unit of the subnormal numbers, 2^-25.
double f16_bound(double f32_bound, double expected);

// error_bound() for rows of that precision at an element.
double device_bound(kernels::Precision precision, const ErrorBound& bound, double magnitude,
                    double expected);

// Orders of execution, each with copies that arrive at once and late, all with the checker: in
// order, in reverse, and at random with preemption.
std::span<const gpu::emulated::Options> schedules();
std::string text_of(const gpu::emulated::Options& schedule);  // "random, preempted, lazy"

// With the device emulated, and nothing left of the test before.
class OnEmulatedDevice : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override { gpu::emulated::set_options({}); }

  std::unique_ptr<kernels::Device> device_;
};

// Kernels on it against the reference kernels, a batch of kImages.
class KernelsOnEmulatedDevice : public OnEmulatedDevice {
 protected:
  static constexpr int64_t kImages = 3;

  shapes::Dense run(const kernels::Kernel& kernel, const shapes::KernelCase& c,
                    const gpu::emulated::Options& schedule, DevicePlan plan = {kImages, kImages});
  static shapes::Dense reference(const shapes::KernelCase& c);

  // The whole batch within `bound`, and then the same bits for each batch and each of `further`
  // schedules: neither may change how an image's sums are formed.
  void expect_close(const kernels::Kernel& kernel, const shapes::KernelCase& c,
                    const shapes::Dense& expected, const std::function<double(size_t)>& bound,
                    std::span<const gpu::emulated::Options> further);

  // Where all that is computed are integers that f16 holds, too; the result is rounded once.
  void expect_exact_on_integers(const kernels::Kernel& kernel, const ProblemSpec& spec,
                                std::span<const gpu::emulated::Options> further);

  // With numbers as the kernel's precision holds them; `bound` is error_bound() or a wider one. In
  // f16 also where mma truncates, if the kernel has any.
  void expect_within(const ErrorBound& bound, const kernels::Kernel& kernel,
                     const ProblemSpec& spec, std::span<const gpu::emulated::Options> further,
                     bool has_mma = false);
};

// Fails the current test if the checker has found anything since the last call.
void expect_no_reports(const std::string& hint);

}  // namespace penult::testing
