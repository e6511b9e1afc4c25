// The reference kernels are everybody's oracle, so they are checked against numbers worked out by
// hand (and, through whole nets, against another framework's goldens).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/base/activation_def.h"
#include "engine/ops/op.h"
#include "tests/kernels/kernel_case.h"

namespace penult::testing {
namespace {

using shapes::kTails;
using shapes::make_problem;
using shapes::parse_problem;
using shapes::read_corpus;
using ::testing::ElementsAre;

Dense run_reference(const std::string& problem, std::vector<Dense> src, std::vector<Dense> weights,
                    Dense residual = {}) {
  const ProblemSpec spec = parse_problem(problem);
  const KernelCase c{spec, std::move(src), std::move(residual), std::move(weights)};
  const auto* kernel = find_kernel(spec, kernels::Backend::kReference, Isa::kScalar);
  return run_kernel(*kernel, c, {1, 1});
}

TEST(ReferenceConv2d, CrossCorrelatesAndPadsWithZeros) {
  // The kernel is not flipped: the tap at (0,0) weighs the pixel up and left.
  EXPECT_THAT(run_reference("conv2d src=1x2x2 oc=1 k=3x3 p=1,1,1,1", {{1, 2, 3, 4}},
                            {{1, 0, 0, 0, 10, 0, 0, 0, 0}, {0.5F}}),
              ElementsAre(10.5F, 20.5F, 30.5F, 41.5F));
}

TEST(ReferenceConv2d, PadsEachSideByItself) {
  // One column of zeros on the right, one row at the bottom; stride 2.
  EXPECT_THAT(run_reference("conv2d src=1x3x3 oc=1 k=2x2 s=2x2 p=0,0,1,1 bias=0",
                            {{1, 2, 3, 4, 5, 6, 7, 8, 9}}, {{1, 10, 100, 1000}, {}}),
              ElementsAre(5421, 603, 87, 9));
}

TEST(ReferenceConv2d, DilatesTheTaps) {
  EXPECT_THAT(
      run_reference("conv2d src=1x1x5 oc=1 k=1x2 d=1x3 bias=0", {{1, 2, 3, 4, 5}}, {{1, 10}, {}}),
      ElementsAre(41, 52));
}

TEST(ReferenceConv2d, KeepsGroupsApart) {
  // Two groups of two input channels and one output channel each.
  EXPECT_THAT(
      run_reference("conv2d src=4x1x1 oc=2 g=2", {{1, 2, 3, 4}}, {{1, 10, 100, 1000}, {1, 2}}),
      ElementsAre(22, 4302));
}

TEST(ReferenceConv2d, OrdersWeightsByOutputInputRowColumn) {
  // Pixels are (channel 0, channel 1): the weights of channel 0's two columns come first.
  EXPECT_THAT(
      run_reference("conv2d src=2x1x2 oc=1 k=1x2 bias=0", {{1, 2, 3, 4}}, {{1, 10, 100, 1000}, {}}),
      ElementsAre(1 + 30 + 200 + 4000));
}

TEST(ReferenceEpilogue, AddsTheResidualBeforeTheActivation) {
  EXPECT_THAT(run_reference("conv2d src=1x1x3 oc=1 res=1 act=clamp:0:6", {{1, 2, 3}}, {{1}, {1}},
                            {-5, 2, 3}),
              ElementsAre(0, 5, 6));
}

TEST(ReferenceBatchnorm, NormalisesWithTheStoredStatistics) {
  // eps is 1e-3: var + eps = 4, 0.25.
  EXPECT_THAT(run_reference("batchnorm src=2x1x1", {{5, 1}},
                            {{3, 2}, {10, 20}, {1, 2}, {4 - 1e-3F, 0.25F - 1e-3F}}),
              ElementsAre(::testing::FloatEq(16), ::testing::FloatEq(16)));
}

TEST(ReferenceActivations, ClampAsTheirNamesSay) {
  EXPECT_THAT(run_reference("relu src=1x1x4", {{-1, 0, 3, 9}}, {}), ElementsAre(0, 0, 3, 9));
  EXPECT_THAT(run_reference("relu6 src=1x1x4", {{-1, 0, 3, 9}}, {}), ElementsAre(0, 0, 3, 6));
}

TEST(ReferenceAdd, AddsElementByElement) {
  EXPECT_THAT(run_reference("add src=2x1x2", {{1, 2, 3, 4}, {10, 20, 30, 40}}, {}),
              ElementsAre(11, 22, 33, 44));
}

TEST(ReferenceGlobalAvgPool, AveragesEachChannel) {
  EXPECT_THAT(run_reference("global_avg_pool src=2x1x2", {{1, 10, 3, 20}}, {}), ElementsAre(2, 15));
}

TEST(ReferenceLinear, MultipliesRowsOfWeights) {
  EXPECT_THAT(run_reference("linear src=2 oc=2", {{1, 2}}, {{1, 10, 100, 1000}, {1, 2}}),
              ElementsAre(22, 2102));
}

TEST(ReferenceActivations, FollowTheirFormulas) {
  using ::testing::FloatEq;
  const std::vector<Dense> x = {{-4, -1, 0, 2}};
  EXPECT_THAT(run_reference("clip src=1x1x4 lo=-2 hi=1", x, {}), ElementsAre(-2, -1, 0, 1));
  EXPECT_THAT(run_reference("leaky_relu src=1x1x4 slope=0.25", x, {}),
              ElementsAre(-1, -0.25F, 0, 2));
  EXPECT_THAT(run_reference("hard_swish src=1x1x4", x, {}),
              ElementsAre(0, FloatEq(-1.0F / 3), 0, FloatEq(5.0F / 3)));
  EXPECT_THAT(run_reference("hard_sigmoid src=1x1x4", x, {}),
              ElementsAre(0, FloatEq(1.0F / 3), 0.5F, FloatEq(5.0F / 6)));
  EXPECT_THAT(
      run_reference("sigmoid src=1x1x4", x, {}),
      ElementsAre(FloatEq(0.01798620996F), FloatEq(0.26894142137F), 0.5F, FloatEq(0.88079707798F)));
  EXPECT_THAT(
      run_reference("silu src=1x1x4", x, {}),
      ElementsAre(FloatEq(-0.07194483984F), FloatEq(-0.26894142137F), 0, FloatEq(1.76159415596F)));
}

TEST(ReferenceMul, MultipliesElementsOrScalesChannels) {
  EXPECT_THAT(run_reference("mul src=2x1x2", {{1, 2, 3, 4}, {5, 6, 7, 8}}, {}),
              ElementsAre(5, 12, 21, 32));
  EXPECT_THAT(run_reference("mul src=2x1x2 src=2", {{1, 2, 3, 4}, {10, 100}}, {}),
              ElementsAre(10, 200, 30, 400));
  EXPECT_THAT(run_reference("mul src=2x1x1 src=2x1x2", {{10, 100}, {1, 2, 3, 4}}, {}),
              ElementsAre(10, 200, 30, 400));
}

TEST(ReferenceConcat, PutsChannelsBehindEachOther) {
  EXPECT_THAT(
      run_reference("concat src=1x1x2 src=2x1x2 src=1x1x2", {{1, 2}, {10, 11, 20, 21}, {3, 4}}, {}),
      ElementsAre(1, 10, 11, 3, 2, 20, 21, 4));
}

TEST(ReferenceSlice, TakesChannelsFromBeginUpToEnd) {
  EXPECT_THAT(run_reference("slice src=4x1x2 begin=1 end=3", {{1, 2, 3, 4, 5, 6, 7, 8}}, {}),
              ElementsAre(2, 3, 6, 7));
  EXPECT_THAT(run_reference("slice src=3 begin=2 end=3", {{1, 2, 3}}, {}), ElementsAre(3));
}

TEST(ReferencePad, FramesWithZeros) {
  EXPECT_THAT(run_reference("pad src=1x1x2 p=1,0,0,1", {{1, 2}}, {}),
              ElementsAre(0, 0, 0, 1, 2, 0));
}

TEST(ReferenceFlatten, OrdersByChannelRowColumn) {
  // Pixels are (channel 0, channel 1).
  EXPECT_THAT(run_reference("flatten src=2x2x1", {{1, 10, 2, 20}}, {}), ElementsAre(1, 2, 10, 20));
  EXPECT_THAT(run_reference("flatten src=3", {{1, 2, 3}}, {}), ElementsAre(1, 2, 3));
}

TEST(ReferenceSoftmax, NormalisesExponentials) {
  using ::testing::FloatEq;
  EXPECT_THAT(run_reference("softmax src=3", {{1, 1, 1}}, {}),
              ElementsAre(FloatEq(1.0F / 3), FloatEq(1.0F / 3), FloatEq(1.0F / 3)));
  // ln 3 apart, and so large that exp would overflow.
  EXPECT_THAT(run_reference("softmax src=2", {{200, 200 + 1.0986123F}}, {}),
              ElementsAre(::testing::FloatNear(0.25F, 1e-5F), ::testing::FloatNear(0.75F, 1e-5F)));
}

// The numbers are those of torch 2.
TEST(ReferenceMaxPool2d, TakesTheLargestInsideTheMap) {
  // Zeros of padding must not win.
  EXPECT_THAT(run_reference("max_pool2d src=1x2x2 k=3x3 p=1,1,1,1", {{-1, -2, -3, -4}}, {}),
              ElementsAre(-1, -1, -1, -1));
  EXPECT_THAT(run_reference("max_pool2d src=1x1x5 k=1x2 d=1x2", {{5, 1, 3, 9, 2}}, {}),
              ElementsAre(5, 9, 3));
}

TEST(ReferenceMaxPool2d, RoundsUpInCeilModeButStartsNoWindowInThePadding) {
  EXPECT_THAT(run_reference("max_pool2d src=1x1x4 k=1x3 s=1x2", {{1, 2, 3, 4}}, {}),
              ElementsAre(3));
  EXPECT_THAT(run_reference("max_pool2d src=1x1x4 k=1x3 s=1x2 ceil_mode=1", {{1, 2, 3, 4}}, {}),
              ElementsAre(3, 4));
  // A third window would start at column 4 + 1, in the padding.
  EXPECT_THAT(
      run_reference("max_pool2d src=1x1x4 k=1x2 s=1x3 p=0,1,0,1 ceil_mode=1", {{1, 2, 3, 4}}, {}),
      ElementsAre(1, 4));
}

TEST(ReferenceAvgPool2d, CountsPaddingIfAsked) {
  EXPECT_THAT(run_reference("avg_pool2d src=1x1x2 k=1x2 s=1x2 p=0,1,0,1", {{2, 4}}, {}),
              ElementsAre(1, 2));
  EXPECT_THAT(
      run_reference("avg_pool2d src=1x1x2 k=1x2 s=1x2 p=0,1,0,1 count_include_pad=0", {{2, 4}}, {}),
      ElementsAre(2, 4));
  // The second window has one column inside, one in the padding and one beyond, which never counts.
  EXPECT_THAT(
      run_reference("avg_pool2d src=1x1x3 k=1x3 s=1x3 p=0,1,0,1 ceil_mode=1", {{3, 6, 8}}, {}),
      ElementsAre(3, 4));
}

TEST(ReferenceAdaptiveAvgPool2d, AveragesWindowsThatMayOverlap) {
  // Columns 0..1, 1..3, 3..4.
  EXPECT_THAT(
      run_reference("adaptive_avg_pool2d src=1x1x5 output_size=1,3", {{1, 3, 5, 10, 20}}, {}),
      ElementsAre(2, 6, 15));
  // Two rows of (channel 0, channel 1) pixels; the first, both, the second row.
  EXPECT_THAT(run_reference("adaptive_avg_pool2d src=2x2x1 output_size=3,1", {{1, 10, 3, 30}}, {}),
              ElementsAre(1, 10, 2, 20, 3, 30));
  EXPECT_THAT(run_reference("adaptive_avg_pool2d src=1x2x2 output_size=1,1", {{1, 2, 3, 6}}, {}),
              ElementsAre(3));
}

// A NaN is a fault that must reach the user, not become 0 or 6 on the way.
TEST(Activations, LetNansThrough) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (ProblemSpec spec : read_corpus(kTails)) {  // they name every operator
    if (find_op(spec.op)->activation == nullptr) continue;
    spec.src = Shape::map(1, 1, 2);
    spec.epilogue = {};
    const KernelCase c{spec, {{nan, 100}}, {}, {}};
    const kernels::Problem problem = make_problem(spec);
    const auto of_100 = static_cast<float>(def_of(problem.function).apply(problem.function, 100));
    for (const kernels::Table& table : kernels::all_tables()) {
      for (const kernels::Kernel& kernel : table.kernels) {
        if (problem.op != table.op || !is_runnable(kernel)) continue;
        if (!kernel.declines(problem).empty()) continue;
        const Dense got = run_kernel(kernel, c, {1, 1});
        EXPECT_TRUE(std::isnan(got[0])) << spec.to_string() << ' ' << kernel.name;
        EXPECT_EQ(got[1], of_100) << spec.to_string() << ' ' << kernel.name;
      }
    }
  }
}

}  // namespace
}  // namespace penult::testing
