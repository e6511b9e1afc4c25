// The kernel that computes the factors of a squeeze-and-excitation block at once, on the emulator
// with its checker, against the formula in double precision.

#include "kernels/squeeze_excitation/squeeze_excitation_cuda.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "engine/base/activation_def.h"
#include "engine/base/text.h"
#include "tests/kernels/cuda/device_case.h"
#include "tests/kernels/cuda/operators_mutations.h"
#include "tests/support/error_model.h"

namespace penult::testing {
namespace {

using gpu::emulated::Options;
using kernels::Kernel;
using kernels::Precision;
using kernels::Problem;
using kernels::cuda::kSqueezeExcitationCudaTable;
using shapes::Dense;
using shapes::KernelCase;

constexpr int64_t kImages = 3;

struct Block {
  int64_t c, h, w, sc;
  Activation squeeze, excite;
};

constexpr Activation kRelu = Activation::clamp(0, INFINITY);
constexpr Activation kHardSigmoid = {Activation::Kind::kHardSigmoid};
constexpr Activation kSilu = {Activation::Kind::kSilu};
constexpr Activation kSigmoid = {Activation::Kind::kSigmoid};

// Few and many channels beside the threads of a block, one pixel, more pixels than rows of threads;
// layers of MobileNetV3 and EfficientNet.
constexpr Block kBlocks[] = {
    {1, 1, 1, 1, {}, {}},
    {8, 3, 5, 8, kRelu, kHardSigmoid},
    {24, 1, 15, 6, kSilu, kSigmoid},
    {40, 7, 7, 10, kRelu, kHardSigmoid},
    {72, 9, 10, 24, kRelu, kHardSigmoid},
    {96, 15, 14, 4, kSilu, kSigmoid},
    {960, 2, 2, 240, kRelu, kHardSigmoid},
    {4100, 1, 3, 9, kSilu, kSigmoid},
};

std::string text_of(const Block& b) {
  return concat(b.c, "x", b.h, "x", b.w, " squeezed to ", b.sc);
}

Problem problem_of(const Block& b) {
  Problem problem;
  problem.op = "squeeze_excitation";
  problem.function = b.squeeze;
  problem.src = {{.shape = Shape::map(b.c, b.h, b.w)}};
  problem.dst.shape = Shape::vector(b.c);
  problem.epilogue.activation = b.excite;
  problem.weight_dims = {{b.sc, b.c}, {b.sc}, {b.c, b.sc}, {b.c}};
  lay_out_for_device(problem);
  return problem;
}

// In [-1, 1], weights such that sums are, too; as the precision holds them, biases excepted.
KernelCase numbers_of(const Block& b, Precision precision) {
  std::mt19937 random(static_cast<uint32_t>(b.c * 1000 + b.h));
  const auto reals = [&](int64_t count, double scale) {
    std::uniform_real_distribution<double> real(-scale, scale);
    Dense values(static_cast<size_t>(count));
    for (float& value : values) value = static_cast<float>(real(random));
    return values;
  };
  const auto stored = [&](const Dense& values) { return rounded_to(precision, values); };
  const auto c = static_cast<double>(b.c), sc = static_cast<double>(b.sc);
  KernelCase numbers;
  numbers.src = {stored(reals(kImages * b.c * b.h * b.w, 1))};
  numbers.weights = {stored(reals(b.sc * b.c, 3 / std::sqrt(c))), reals(b.sc, 1),
                     stored(reals(b.c * b.sc, 3 / std::sqrt(sc))), reals(b.c, 1)};
  return numbers;
}

// A number, the same formula over absolute values, and how far a kernel's may be off.
struct Estimate {
  double value, magnitude, error;
};

// Of `values` and the errors that they bring.
std::vector<Estimate> layer(const std::vector<Estimate>& values, const Dense& weights,
                            const Dense& bias, const Activation& activation) {
  const auto ic = static_cast<int64_t>(values.size());
  std::vector<Estimate> results;
  for (size_t o = 0; o < bias.size(); ++o) {
    Estimate sum{bias[o], std::fabs(bias[o]), 0};
    for (size_t i = 0; i < values.size(); ++i) {
      const double weight = weights[o * values.size() + i];
      sum.value += weight * values[i].value;
      sum.magnitude += std::fabs(weight) * (values[i].magnitude + values[i].error);
      sum.error += std::fabs(weight) * values[i].error;
    }
    sum.error += rounding_bound(ic + 1, sum.magnitude);
    const double value = def_of(activation).apply(activation, sum.value);
    // No activation is steeper than 1.5, and none leads away from 0 further than that.
    results.push_back(
        {value, 1.5 * sum.magnitude + 1, bound_through_activation(sum.error, sum.magnitude)});
  }
  return results;
}

std::vector<Estimate> estimate(const Block& b, const KernelCase& numbers, int64_t image) {
  const int64_t pixels = b.h * b.w;
  std::vector<Estimate> means;
  for (int64_t c = 0; c < b.c; ++c) {
    Estimate mean{0, 0, 0};
    for (int64_t pixel = 0; pixel < pixels; ++pixel) {
      const double x = numbers.src[0][static_cast<size_t>((image * pixels + pixel) * b.c + c)];
      mean.value += x / static_cast<double>(pixels);
      mean.magnitude += std::fabs(x) / static_cast<double>(pixels);
    }
    mean.error = rounding_bound(pixels + 1, mean.magnitude);
    means.push_back(mean);
  }
  const auto squeezed = layer(means, numbers.weights[0], numbers.weights[1], b.squeeze);
  return layer(squeezed, numbers.weights[2], numbers.weights[3], b.excite);
}

class SqueezeExcitationCuda : public OnEmulatedDevice {
 protected:
  DeviceRun run(const Kernel& kernel, const Block& b, const KernelCase& numbers,
                const Options& schedule, DevicePlan plan) {
    gpu::emulated::set_options(schedule);
    return try_on_device(*device_, kernel, problem_of(b), numbers, plan);
  }
};

TEST_F(SqueezeExcitationCuda, IsWithinTheErrorModel) {
  for (const Kernel& kernel : kSqueezeExcitationCudaTable.kernels) {
    for (const Block& b : kBlocks) {
      ASSERT_EQ(kernel.declines(problem_of(b)), "") << text_of(b);
      const KernelCase numbers = numbers_of(b, kernel.precision);
      const DeviceRun whole = run(kernel, b, numbers, schedules().back(), {kImages, kImages});
      ASSERT_TRUE(whole.status.ok()) << text_of(b) << ": " << whole.status.message();
      ASSERT_EQ(whole.complaint, "") << text_of(b);
      for (int64_t image = 0; image < kImages; ++image) {
        const std::vector<Estimate> expected = estimate(b, numbers, image);
        for (size_t o = 0; o < expected.size(); ++o) {
          const auto [value, magnitude, f32] = expected[o];
          const double bound = kernel.precision == Precision::kF32 ? f32 : f16_bound(f32, value);
          ASSERT_NEAR(whole.dst[static_cast<size_t>(image * b.c) + o], value, bound)
              << kernel.name << ": " << text_of(b) << ", image " << image << ", channel " << o;
        }
      }
      expect_no_reports(text_of(b));
    }
  }
}

TEST_F(SqueezeExcitationCuda, HasTheSameBitsInEveryScheduleAndBatch) {
  for (const Kernel& kernel : kSqueezeExcitationCudaTable.kernels) {
    for (const Block& b : kBlocks) {
      const KernelCase numbers = numbers_of(b, kernel.precision);
      const Dense whole = run(kernel, b, numbers, schedules().front(), {kImages, kImages}).dst;
      for (const Options& schedule : schedules()) {
        for (const DevicePlan& plan : {DevicePlan{1, 1}, DevicePlan{2, kImages}}) {
          const DeviceRun some = run(kernel, b, numbers, schedule, plan);
          ASSERT_FALSE(some.dst.empty());
          EXPECT_EQ(some.complaint, "");
          EXPECT_TRUE(std::equal(some.dst.begin(), some.dst.end(), whole.begin()))
              << kernel.name << ": " << text_of(b) << ", " << testing::text_of(schedule);
        }
      }
      expect_no_reports(text_of(b));
    }
  }
}

TEST_F(SqueezeExcitationCuda, DeclinesWhatItCannotHold) {
  const Kernel& kernel = kSqueezeExcitationCudaTable.kernels[0];
  Problem problem = problem_of({20000, 1, 1, 8, {}, {}});
  EXPECT_EQ(kernel.declines(problem), "channels for 98304 bytes of shared memory, got 160032");
  problem = problem_of(kBlocks[1]);
  problem.epilogue.residual = true;
  EXPECT_EQ(kernel.declines(problem), "no residual");
}

TEST_F(SqueezeExcitationCuda, BarriersThatAreMissingAreReported) {
  const Block& b = kBlocks[3];
  const KernelCase numbers = numbers_of(b, Precision::kF32);
  for (const Kernel& kernel : squeeze_excitation_mutations()) {
    for (const Options& schedule : schedules()) {
      const DeviceRun broken = run(kernel, b, numbers, schedule, {kImages, kImages});
      EXPECT_GT(gpu::emulated::take_reports().total(), 0)
          << kernel.name << ": " << testing::text_of(schedule);
      EXPECT_FALSE(broken.status.ok()) << kernel.name;
    }
  }
}

}  // namespace
}  // namespace penult::testing
