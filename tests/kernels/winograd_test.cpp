// What the conformance tests take for granted: the matrices of the error model compute a
// convolution, and the tables of numerics choose as documented.

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/numerics.h"
#include "kernels/winograd_conv2d/winograd_conv2d.h"
#include "tests/kernels/winograd_magnitudes.h"

namespace penult::testing {
namespace {

using kernels::NumericClass;
using kernels::Numerics;
using shapes::make_problem;
using shapes::parse_problem;

TEST(WinogradMatrices, ComputeAConvolution) {
  for (const NumericClass numeric_class : {NumericClass::kWinograd23, NumericClass::kWinograd43}) {
    const WinogradMatrices& m = matrices_of(numeric_class);
    const double d[] = {0.3, -1.7, 2.2, 0.9, -0.4, 1.1}, w[] = {0.7, -0.2, 1.3};
    for (int i = 0; i < m.out; ++i) {
      double y = 0;
      for (int p = 0; p < m.in; ++p) {
        double bd = 0, gw = 0;
        for (int k = 0; k < m.in; ++k) bd += m.b[p * m.in + k] * d[k];
        for (int k = 0; k < 3; ++k) gw += m.g[p * 3 + k] * w[k];
        y += m.a[i * m.in + p] * bd * gw;
      }
      EXPECT_NEAR(y, d[i] * w[0] + d[i + 1] * w[1] + d[i + 2] * w[2], 1e-14);
    }
  }
}

NumericClass class_of(const std::string& layer, Numerics numerics) {
  return kernels::numeric_class(make_problem(parse_problem(layer)), Isa::kAvx512, numerics);
}

TEST(NumericsTables, ChooseByShape) {
  for (const Numerics numerics : {Numerics::kLatency, Numerics::kThroughput}) {
    EXPECT_EQ(class_of("conv2d src=64x56x56 oc=64 k=3x3 p=1,1,1,1", numerics),
              NumericClass::kWinograd43);
    for (const char* direct : {
             "conv2d src=64x56x56 oc=64",
             "conv2d src=64x56x56 oc=128 k=3x3 s=2x2 p=1,1,1,1",
             "conv2d src=64x56x56 oc=64 k=3x3 p=2,2,2,2 d=2x2",
             "conv2d src=64x56x56 oc=64 k=3x3 p=1,1,1,1 g=64",
             "conv2d src=64x56x56 oc=64 k=3x1 p=1,0,1,0",
             "conv2d src=3x224x224 oc=64 k=3x3 p=1,1,1,1",
             "conv2d src=512x2x2 oc=512 k=3x3 p=1,1,1,1",
         }) {
      EXPECT_EQ(class_of(direct, numerics), NumericClass::kDirect) << direct;
    }
  }
  for (const char* small : {"conv2d src=256x14x14 oc=256 k=3x3 p=1,1,1,1",
                            "conv2d src=512x7x7 oc=512 k=3x3 p=1,1,1,1"}) {
    EXPECT_EQ(class_of(small, Numerics::kLatency), NumericClass::kWinograd23) << small;
    EXPECT_EQ(class_of(small, Numerics::kThroughput), NumericClass::kWinograd43) << small;
  }
}

// A tile of m x m pixels takes (m + 2)^2 multiply-adds for each pair of channels.
TEST(Winograd, CountsItsMultiplyAdds) {
  const kernels::Problem problem =
      make_problem(parse_problem("conv2d src=64x57x57 oc=32 k=3x3 p=1,1,1,1"));
  EXPECT_EQ(kernels::direct_macs(problem), 57 * 57 * 9 * 64 * 32);
  for (const kernels::Kernel& kernel : kernels::kWinogradConv2dTable.kernels) {
    const bool f43 = kernel.numeric_class == NumericClass::kWinograd43;
    EXPECT_EQ(kernel.macs(problem), f43 ? 15 * 15 * 36 * 64 * 32 : 29 * 29 * 16 * 64 * 32)
        << kernel.name;
  }
}

TEST(NumericsTables, HaveNames) {
  EXPECT_EQ(*kernels::numerics_from_name("latency"), Numerics::kLatency);
  EXPECT_EQ(*kernels::numerics_from_name("throughput"), Numerics::kThroughput);
  EXPECT_EQ(kernels::numerics_from_name("fast").status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace penult::testing
