// The device's kernels of conv2d, on the emulator with its checker, against the reference kernel.

#include "kernels/conv2d/conv2d_cuda.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/base/text.h"
#include "kernels/cuda/device.h"
#include "tests/kernels/cuda/conv2d_mutations.h"
#include "tests/kernels/cuda/device_case.h"
#include "tests/kernels/kernel_case.h"

namespace penult::testing {
namespace {

using gpu::emulated::Options;
using kernels::Backend;
using kernels::Kernel;
using kernels::Precision;
using kernels::cuda::kConv2dCudaTable;
using shapes::parse_problem;
using shapes::read_corpus;

const Kernel& row_named(const std::string& name) {
  for (const Kernel& kernel : kConv2dCudaTable.kernels)
    if (kernel.name == name) return kernel;
  throw std::runtime_error("no row " + name);
}

// mma adds products by fours, and may truncate each time, which costs up to two units of roundoff;
// fours of the padding add nothing. Then come the bias, the residual, and storing the reference. A
// kernel that adds one product after the other needs no more than error_bound() says.
ErrorBound bound_of(const ProblemSpec& spec, Precision precision) {
  ErrorBound bound = error_bound(spec);
  const int64_t fours = spec.kh * spec.kw * ((spec.src.c / spec.groups + 3) / 4);
  if (precision == Precision::kF16) bound.roundings = std::max(bound.roundings, 2 * fours + 3);
  return bound;
}

class Conv2dCuda : public KernelsOnEmulatedDevice {
 protected:
  // Calls body(kernel, spec) for each row and each problem that it takes.
  template <class Body>
  static void for_each_accepted(const std::vector<ProblemSpec>& specs, const Body& body) {
    for (const Kernel& kernel : kConv2dCudaTable.kernels) {
      for (const ProblemSpec& spec : specs) {
        if (spec.op != "conv2d" || !shapes::accepts(kConv2dCudaTable, kernel, spec)) continue;
        body(kernel, spec);
        if (HasFailure()) return;
      }
    }
  }

  // Also where mma truncates.
  void expect_within_the_error_model(const Kernel& kernel, const ProblemSpec& spec,
                                     std::span<const Options> further) {
    expect_within(bound_of(spec, kernel.precision), kernel, spec, further, true);
  }
};

// Every kind of activation, with and without a residual, over channels and maps that fill no tile
// and no block of K; padding on one side only, and more than the window reaches.
std::vector<ProblemSpec> ragged_problems() {
  const char* const kActivations[] = {
      "",          " act=clamp:0:6",    " act=leaky_relu:0.1", " act=hard_swish",
      " act=silu", " act=hard_sigmoid", " act=sigmoid",        " act=clamp:0:inf"};
  const char* const kWindows[] = {" k=3x3 p=1,1,1,1", " k=1x1", " k=3x3 s=2x2 p=0,0,1,1",
                                  " k=5x5 s=2x2 p=2,2,2,2", " k=2x3 s=1x2 p=3,0,0,2 d=2x1"};
  const int kDstChannels[] = {3, 8, 24, 40, 72};
  std::vector<ProblemSpec> specs;
  size_t i = 0;
  for (const int c : {3, 8, 24, 40}) {
    for (const int h : {1, 2, 3, 4, 5, 7, 8, 11, 14, 15}) {
      for (const int w : {16 - h, 1 + h / 2}) {
        const size_t window = h < 3 || w < 3 ? i % 2 : i % std::size(kWindows);
        specs.push_back(parse_problem(concat("conv2d src=", c, "x", h, "x", w,
                                             " oc=", kDstChannels[i / 3 % 5], kWindows[window],
                                             i / 2 % 2 ? " res=1" : "", i % 5 ? "" : " bias=0",
                                             kActivations[i % std::size(kActivations)])));
        ++i;
      }
    }
  }
  return specs;
}

std::vector<ProblemSpec> reduced_nets() {
  constexpr int64_t kMaxTestCost = 20'000;  // for one image
  std::vector<ProblemSpec> specs;
  for (const char* corpus : {"mobilenet_v2", "resnet18"})
    for (const ProblemSpec& spec : read_corpus(corpus))
      if (spec.groups == 1) specs.push_back(reduced(spec, kMaxTestCost));
  return specs;
}

TEST_F(Conv2dCuda, IsExactOnIntegersOfTheTails) {
  for_each_accepted(read_corpus("tails"), [&](const Kernel& kernel, const ProblemSpec& spec) {
    expect_exact_on_integers(kernel, spec, {});
  });
}

TEST_F(Conv2dCuda, StaysWithinTheErrorModelOnRaggedProblems) {
  for_each_accepted(ragged_problems(), [&](const Kernel& kernel, const ProblemSpec& spec) {
    expect_within_the_error_model(kernel, spec, schedules());
  });
}

TEST_F(Conv2dCuda, StaysWithinTheErrorModelOnNets) {
  for_each_accepted(reduced_nets(), [&](const Kernel& kernel, const ProblemSpec& spec) {
    if (std::string(kernel.name).find("direct") != std::string::npos) return;
    expect_within_the_error_model(kernel, spec, {});
  });
}

TEST_F(Conv2dCuda, HasTheSameBitsInEveryScheduleAndBatch) {
  for (const char* problem : {"conv2d src=3x7x9 oc=24 k=3x3 s=2x2 p=0,0,1,1 act=clamp:0:6",
                              "conv2d src=40x5x7 oc=72 k=3x3 p=1,1,1,1 res=1 act=hard_swish",
                              "conv2d src=24x9x8 oc=40 res=1"}) {
    for_each_accepted({parse_problem(problem)}, [&](const Kernel& kernel, const ProblemSpec& spec) {
      expect_within_the_error_model(kernel, spec, schedules());
    });
  }
}

// All form sums alike, and there is nothing to round in a product with a zero of the padding.
TEST_F(Conv2dCuda, F32RowsAgreeBitForBit) {
  const Kernel &product = row_named("conv2d_igemm_f32_cuda"),
               &direct = row_named("conv2d_direct_f32_cuda"),
               &stem = row_named("conv2d_stem_f32_cuda");
  const Options& schedule = schedules().back();
  int stems = 0;
  for (const ProblemSpec& spec : ragged_problems()) {
    const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
    const Dense expected = run(product, c, schedule);
    EXPECT_EQ(run(direct, c, schedule), expected) << spec.to_string();
    if (!shapes::accepts(kConv2dCudaTable, stem, spec)) continue;
    EXPECT_EQ(run(stem, c, schedule), expected) << spec.to_string();
    ++stems;
  }
  EXPECT_GT(stems, 10);
}

// So do the kernels of processors that fuse multiply and add.
TEST_F(Conv2dCuda, F32ProductsHaveTheBitsOfTheProcessor) {
  const Kernel& product = row_named("conv2d_igemm_f32_cuda");
  for (ProblemSpec spec : ragged_problems()) {
    spec.epilogue.activation = {};
    const Kernel* native = find_kernel(spec, Backend::kNative, Isa::kAvx2);
    if (!is_runnable(*native)) GTEST_SKIP() << "this machine lacks the level";
    const KernelCase c = KernelCase::make(spec, Numbers::kReals, kImages);
    EXPECT_EQ(run(product, c, schedules().back()), run_kernel(*native, c, {kImages, 1}))
        << spec.to_string();
  }
}

TEST_F(Conv2dCuda, F16TilesAgreeBitForBit) {
  for (const char* problem : {"conv2d src=40x12x13 oc=72 k=3x3 p=1,1,1,1 res=1 act=silu",
                              "conv2d src=3x19x17 oc=130 k=7x7 s=2x2 p=3,3,3,3"}) {
    const KernelCase c = KernelCase::make(parse_problem(problem), Numbers::kReals, kImages);
    const Dense expected = run(row_named("conv2d_igemm_f16_cuda"), c, schedules().back());
    for (const Kernel& tile : conv2d_f16_tiles()) {
      for (const Options& schedule : schedules())
        EXPECT_EQ(run(tile, c, schedule), expected) << tile.name << ": " << text_of(schedule);
    }
    expect_no_reports(problem);
  }
}

// More tiles of the larger kind than a device has multiprocessors.
TEST_F(Conv2dCuda, IsExactOnIntegersOfLargeMaps) {
  const KernelCase c = KernelCase::make(parse_problem("conv2d src=16x67x69 oc=72 res=1"),
                                        Numbers::kIntegers, kImages);
  const Dense expected = reference(c);
  for (const char* name : {"conv2d_igemm_f16_cuda", "conv2d_igemm_f32_cuda"})
    EXPECT_EQ(run(row_named(name), c, schedules().front()), expected) << name;
  expect_no_reports("large maps");
}

TEST_F(Conv2dCuda, KeepsNansAndInfinities) {
  KernelCase c = KernelCase::make(parse_problem("conv2d src=9x3x3 oc=8 act=clamp:0:6"),
                                  Numbers::kReals, kImages);
  c.src[0][1] = std::numeric_limits<float>::quiet_NaN();
  for (const Kernel& kernel : kConv2dCudaTable.kernels) {
    const Dense got = run(kernel, c, schedules().front());
    for (size_t i = 0; i < got.size(); ++i) EXPECT_EQ(std::isnan(got[i]), i < 8) << kernel.name;
  }
  KernelCase large =
      KernelCase::make(parse_problem("conv2d src=1x1x2 oc=1 bias=0"), Numbers::kIntegers, kImages);
  std::fill(large.src[0].begin(), large.src[0].end(), 60'000.0F);
  large.weights[0] = {-2};
  for (const char* name : {"conv2d_igemm_f16_cuda", "conv2d_direct_f16_cuda"})
    for (const float got : run(row_named(name), large, schedules().front()))
      EXPECT_EQ(got, -std::numeric_limits<float>::infinity()) << name;
}

TEST_F(Conv2dCuda, TakesEveryProblemOfTheCorporaButFactorsInBothPrecisions) {
  for (const char* corpus : shapes::all_corpora()) {
    for (const ProblemSpec& spec : read_corpus(corpus)) {
      if (spec.op != "conv2d") continue;
      int products[2] = {}, all[2] = {};
      for (const Kernel& kernel : kConv2dCudaTable.kernels) {
        const bool accepts = shapes::accepts(kConv2dCudaTable, kernel, spec);
        const bool is_product = std::string(kernel.name).starts_with("conv2d_igemm_");
        all[static_cast<int>(kernel.precision)] += accepts;
        products[static_cast<int>(kernel.precision)] += accepts && is_product;
      }
      const bool has_factors = !spec.further.empty();
      for (const int precision : {0, 1}) {
        EXPECT_EQ(all[precision] > 0, !has_factors) << spec.to_string();
        EXPECT_EQ(products[precision] > 0, !has_factors && spec.groups == 1) << spec.to_string();
      }
    }
  }
}

TEST_F(Conv2dCuda, SaysWhatItDeclines) {
  const auto reason = [](const char* name, const char* problem) {
    return row_named(name).declines(shapes::make_problem(parse_problem(problem)));
  };
  const char* const kProduct = "conv2d_igemm_f32_cuda";
  EXPECT_EQ(reason(kProduct, "conv2d src=8x5x5 src=8 oc=8"), "no factors for src's channels");
  EXPECT_EQ(reason(kProduct, "conv2d src=8x5x5 oc=8 g=2"), "one group only, got 2");
  EXPECT_EQ(reason("conv2d_direct_f32_cuda", "conv2d src=8x5x5 oc=8 g=2"), "");
  const char* const kStem = "conv2d_stem_f32_cuda";
  EXPECT_EQ(reason(kStem, "conv2d src=3x9x9 oc=8 k=7x7 s=2x2"), "");
  EXPECT_EQ(reason(kStem, "conv2d src=4x9x9 oc=8 k=3x3"), "3 channels, got 4");
  EXPECT_EQ(reason(kStem, "conv2d src=3x9x9 oc=8 k=3x3 d=2x2"), "no dilation");
  EXPECT_EQ(reason(kStem, "conv2d src=3x9x9 oc=8 k=9x8"), "a window of at most 64, got 72");
  EXPECT_EQ(reason("conv2d_stem_f16_cuda", "conv2d src=3x9x9 oc=8 k=7x7 s=2x2"),
            "left to tensor cores: a large window");
  EXPECT_EQ(reason(kProduct, "conv2d src=8x16384x16384 oc=8 k=1x1"),
            "at most 1073741824 elements, got 2147483648");
}

}  // namespace
}  // namespace penult::testing
