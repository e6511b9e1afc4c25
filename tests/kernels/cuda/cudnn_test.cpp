// Backend cudnn without a GPU: the libraries, the rows and what is packed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <string_view>

#include "bench/shapes/corpus.h"
#include "kernels/cuda/cudnn/graph.h"
#include "kernels/cuda/cudnn/matmul.h"
#include "kernels/cuda/cudnn/tables.h"
#include "kernels/cuda/cudnn/weights.h"
#include "kernels/cuda/row.h"
#include "kernels/support.h"
#include "tests/kernels/cuda/cudnn_support.h"
#include "tests/kernels/cuda/device_rows.h"

namespace penult::kernels::cudnn {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const Kernel& row_named(std::string_view name) {
  for (const Table& table : cudnn_tables())
    for (const Kernel& kernel : table.kernels)
      if (kernel.name == name) return kernel;
  ADD_FAILURE() << "no row " << name;
  return cudnn_tables()[0].kernels[0];
}

const Kernel& graph_row(Precision precision) {
  return row_named(precision == Precision::kF16 ? "conv2d_graph_f16_cudnn"
                                                : "conv2d_graph_f32_cudnn");
}

std::string declined_by(std::string_view row, const std::string& problem) {
  return row_named(row).declines(shapes::make_problem(shapes::parse_problem(problem)));
}

class CudnnLibrary : public testing::WithCudnn {};
class CublasLtLibrary : public testing::WithCublasLt {};

TEST(OpenLibrary, SaysWhatToInstallIfThereIsNone) {
  const auto cudnn = open_cudnn("no_such_cudnn.so");
  EXPECT_EQ(cudnn.status().code(), StatusCode::kDevice);
  EXPECT_THAT(cudnn.status().message(), HasSubstr("no_such_cudnn.so"));
  EXPECT_THAT(cudnn.status().message(), HasSubstr("install cuDNN 9"));
  const auto cublaslt = open_cublaslt("no_such_cublaslt.so");
  EXPECT_EQ(cublaslt.status().code(), StatusCode::kDevice);
  EXPECT_THAT(cublaslt.status().message(), HasSubstr("no_such_cublaslt.so"));
  EXPECT_THAT(cublaslt.status().message(), HasSubstr("install cuBLAS"));
}

TEST(OpenLibrary, RefusesAnotherLibrary) {
  EXPECT_THAT(open_cudnn("libm.so.6").status().message(), HasSubstr("has no cudnnGetVersion"));
  EXPECT_THAT(open_cublaslt("libm.so.6").status().message(),
              HasSubstr("has no cublasLtGetVersion"));
}

TEST_F(CudnnLibrary, IsOfTheMajorVersionOfItsFile) { EXPECT_EQ(cudnn_->version / 10000, 9U); }

TEST_F(CublasLtLibrary, IsOfOneOfTheMajorVersionsOfItsFiles) {
  EXPECT_GE(cublaslt_->version / 10000, 12U);
  EXPECT_LE(cublaslt_->version / 10000, 13U);
}

TEST_F(CudnnLibrary, IsLoadedOnce) { EXPECT_EQ(*load_cudnn(), cudnn_); }

// What comes with a driver only.
bool has_driver() { return testing::can_open("libcuda.so.1"); }

// Every row, then the libraries' own functions, which must not crash either.
TEST(WithoutADevice, PreparingIsAnErrorThatSaysWhy) {
  if (has_driver()) GTEST_SKIP() << "there is a driver";
  for (const Table& table : cudnn_tables()) {
    const std::string text = table.op == std::string_view("linear")
                                 ? "linear src=64 oc=8"
                                 : "conv2d src=64x8x8 oc=8 act=clamp:0:inf";
    const Problem problem = shapes::make_problem(shapes::parse_problem(text));
    for (const Kernel& kernel : table.kernels) {
      ASSERT_EQ(kernel.declines(problem), "") << kernel.name;
      const auto prepared = kernel.prepare({.problem = problem, .max_batch = 2, .threads = 1});
      EXPECT_EQ(prepared.status().code(), StatusCode::kDevice) << kernel.name;
      EXPECT_THAT(prepared.status().message(), StartsWith("backend cudnn: ")) << kernel.name;
    }
  }
}

TEST_F(CudnnLibrary, HandleNeedsADevice) {
  if (has_driver()) GTEST_SKIP() << "there is a driver";
  EXPECT_THAT(cudnn_handle(*cudnn_, nullptr).status().message(), HasSubstr("no device: "));
  cudnnHandle_t handle = nullptr;
  const Status status = status_of(*cudnn_, cudnn_->create(&handle), "create a handle");
  EXPECT_EQ(status.code(), StatusCode::kDevice);
  EXPECT_THAT(status.message(), HasSubstr("create a handle: CUDNN_STATUS_"));
}

TEST_F(CublasLtLibrary, HandleNeedsADevice) {
  if (has_driver()) GTEST_SKIP() << "there is a driver";
  EXPECT_THAT(cublaslt_handle(*cublaslt_).status().message(), HasSubstr("no device: "));
  cublasLtHandle_t handle = nullptr;
  const Status status = status_of(*cublaslt_, cublaslt_->create(&handle), "create a handle");
  EXPECT_EQ(status.code(), StatusCode::kDevice);
  EXPECT_THAT(status.message(), HasSubstr("cuBLASLt: create a handle: "));
}

// What of a network goes to which row.
struct Accepted {
  int graph = 0, matmul = 0, total = 0;
};

Accepted accepted_of(const char* net) {
  Accepted accepted;
  for (const shapes::ProblemSpec& spec : shapes::read_corpus(net)) {
    if (spec.op != "conv2d") continue;
    const Problem problem = shapes::make_problem(spec);
    ++accepted.total;
    accepted.graph += graph_row(Precision::kF16).declines(problem).empty();
    accepted.matmul += row_named("conv2d_matmul_f16_cudnn").declines(problem).empty();
  }
  return accepted;
}

TEST(Rows, TakeEveryConvolutionOfTheNets) {
  for (const char* net : {"mobilenet_v2", "resnet50"}) {
    const Accepted accepted = accepted_of(net);
    EXPECT_GT(accepted.total, 20) << net;
    EXPECT_EQ(accepted.graph, accepted.total) << net;
    EXPECT_GT(accepted.matmul, 5) << net;
  }
}

TEST(Rows, WantTheLayoutOfOurs) { testing::expect_one_layout(cudnn_tables()); }

TEST(Rows, SayWhatTheyDecline) {
  const char* graph = "conv2d_graph_f16_cudnn";
  EXPECT_EQ(declined_by(graph, "conv2d src=16x8x8 oc=16 act=clamp:0:6"), "");
  EXPECT_EQ(declined_by(graph, "conv2d src=16x8x8 oc=16 k=3x3 g=16"), "");
  EXPECT_THAT(declined_by(graph, "conv2d src=16x8x8 oc=16 g=2"), HasSubstr("groups"));
  EXPECT_THAT(declined_by(graph, "conv2d src=16x8x8 oc=32 g=16"), HasSubstr("groups"));
  EXPECT_THAT(declined_by(graph, "conv2d src=16x8x8 oc=16 act=clamp:-1:1"), HasSubstr("clips"));
  EXPECT_THAT(declined_by(graph, "conv2d src=16x8x8 oc=16 act=silu"), HasSubstr("clips"));
  const char* matmul = "conv2d_matmul_f16_cudnn";
  EXPECT_EQ(declined_by(matmul, "conv2d src=16x8x8 oc=16 res=1"), "");
  EXPECT_EQ(declined_by(matmul, "conv2d src=16x8x8 oc=16 act=clamp:0:inf"), "");
  EXPECT_THAT(declined_by(matmul, "conv2d src=16x8x8 oc=16 act=clamp:0:6"), HasSubstr("ReLU"));
  EXPECT_THAT(declined_by(matmul, "conv2d src=16x8x8 oc=16 res=1 act=clamp:0:inf"),
              HasSubstr("residual"));
  EXPECT_THAT(declined_by(matmul, "conv2d src=16x8x8 oc=16 s=2x2"), HasSubstr("stride 1"));
  EXPECT_THAT(declined_by(matmul, "conv2d src=16x8x8 oc=16 k=3x3"), HasSubstr("one tap"));
  EXPECT_THAT(declined_by(matmul, "conv2d src=16x8x8 oc=16 p=1,1,1,1"), HasSubstr("one tap"));
}

TEST(ConvolutionOf, CountsChannelsAsTheyLieOnTheDevice) {
  const Problem problem = shapes::make_problem(
      shapes::parse_problem("conv2d src=3x9x8 oc=20 k=3x3 s=2x2 p=1,1,1,1 act=clamp:0:6"));
  const Convolution c = convolution_of(problem, 4, Precision::kF16);
  EXPECT_EQ(c.n, 4);
  EXPECT_EQ(c.ic, 8);
  EXPECT_EQ(c.oc, 24);
  EXPECT_EQ(c.groups, 1);
  EXPECT_TRUE(c.clamps);
  EXPECT_EQ(c.upper, 6);
  const Problem depthwise =
      shapes::make_problem(shapes::parse_problem("conv2d src=20x9x8 oc=20 k=3x3 g=20"));
  EXPECT_EQ(convolution_of(depthwise, 1, Precision::kF16).groups, 24);
}

// What lies beyond the last tap is not padding, whatever the attribute says.
TEST(ConvolutionOf, PadsAsMuchAsIsRead) {
  const Problem problem =
      shapes::make_problem(shapes::parse_problem("conv2d src=3x8x9 oc=8 k=3x5 s=2x2 p=1,2,1,2"));
  const Convolution c = convolution_of(problem, 1, Precision::kF16);
  EXPECT_EQ(c.top, 1);
  EXPECT_EQ(c.left, 2);
  EXPECT_EQ(c.bottom, 0);
  EXPECT_EQ(c.right, 2);
  EXPECT_EQ(c.oh, 4);
  EXPECT_EQ(c.ow, 5);
}

TEST(NhwcStrides, HaveChannelsInnermost) {
  EXPECT_EQ(nhwc_strides({2, 8, 5, 7}), (std::vector<int64_t>{280, 1, 56, 8}));
}

// Attributes, their sizes and layouts are checked by cuBLASLt as they are set; what it can compute
// only a device could say.
TEST_F(CublasLtLibrary, DescribesEveryProductOfTheNets) {
  const int64_t bias = 0;
  int products = 0;
  for (const char* net : {"mobilenet_v2", "resnet50"}) {
    for (const shapes::ProblemSpec& spec : shapes::read_corpus(net)) {
      for (const Table& table : cudnn_tables()) {
        if (spec.op != table.op) continue;
        const Problem problem = shapes::make_problem(spec);
        const std::string row = std::string(table.op) + "_matmul_f16_cudnn";
        if (!row_named(row).declines(problem).empty()) continue;
        ++products;
        for (const Precision precision : {Precision::kF16, Precision::kF32}) {
          const auto made =
              MatmulDescriptors::make(*cublaslt_, matmul_of(problem, 8, precision), &bias);
          EXPECT_TRUE(made.ok()) << spec.to_string() << ": " << made.status().message();
        }
      }
    }
  }
  EXPECT_GT(products, 10);
}

TEST(MatmulOf, HasPixelsAsRows) {
  const Problem problem =
      shapes::make_problem(shapes::parse_problem("conv2d src=20x5x7 oc=9 act=clamp:0:inf"));
  const Matmul matmul = matmul_of(problem, 3, Precision::kF32);
  EXPECT_EQ(matmul.m, 3 * 5 * 7);
  EXPECT_EQ(matmul.n, 16);
  EXPECT_EQ(matmul.k, 24);
  EXPECT_TRUE(matmul.relu);
  EXPECT_FALSE(matmul.residual);
}

std::vector<std::byte> packed(const PackedWeights& layout, std::vector<float> weights,
                              std::vector<float> bias) {
  LoadedWeights loaded({weights, bias}, layout.oc);
  // Not zero beforehand, for padding must become so.
  std::vector<std::byte> bytes(layout.bytes(), std::byte{0x5a});
  EXPECT_TRUE(layout.pack(loaded, bytes.data()).ok());
  return bytes;
}

float half_at(const std::vector<std::byte>& bytes, size_t offset, size_t index) {
  gpu::Half half{};
  std::memcpy(&half, bytes.data() + offset + index * sizeof(half), sizeof(half));
  return gpu::float_from_half(half);
}

float float_at(const std::vector<std::byte>& bytes, size_t offset, size_t index) {
  float value = 0;
  std::memcpy(&value, bytes.data() + offset + index * sizeof(value), sizeof(value));
  return value;
}

// Two channels of 1 x 2 taps, padded to eight channels.
TEST(PackedWeights, OfDepthwiseAreDense) {
  const Problem problem =
      shapes::make_problem(shapes::parse_problem("conv2d src=2x4x4 oc=2 k=1x2 g=2"));
  const PackedWeights layout = packed_convolution(problem, Precision::kF16);
  const auto bytes = packed(layout, {1, 2, 3, 4}, {5, 6});
  for (size_t i = 0; i < 8 * 2; ++i)
    EXPECT_EQ(half_at(bytes, 0, i), i < 4 ? static_cast<float>(i + 1) : 0) << i;
  EXPECT_EQ(layout.bias_offset() % 256, 0U);
  for (size_t i = 0; i < 8; ++i)
    EXPECT_EQ(float_at(bytes, layout.bias_offset(), i), i < 2 ? static_cast<float>(i + 5) : 0);
}

TEST(PackedWeights, OfConvolutionsHaveTheBiasThatTheGraphExpects) {
  for (const char* activation : {"", " act=clamp:0:inf", " act=clamp:0:6"}) {
    const Problem problem = shapes::make_problem(
        shapes::parse_problem(std::string("conv2d src=1x4x4 oc=2 k=1x2") + activation));
    const PackedWeights layout = packed_convolution(problem, Precision::kF16);
    EXPECT_EQ(layout.bias, convolution_of(problem, 1, Precision::kF16).bias);
    const auto bytes = packed(layout, {1, 2, 3, 4}, {5, 6});
    EXPECT_EQ(half_at(bytes, 0, 8), 2);   // second tap of the first channel
    EXPECT_EQ(half_at(bytes, 0, 16), 3);  // first tap of the second
    const bool is_half = layout.bias == Precision::kF16;
    EXPECT_EQ(is_half, std::string_view(activation) != " act=clamp:0:6");
    const size_t at = layout.bias_offset();
    EXPECT_EQ(is_half ? half_at(bytes, at, 1) : float_at(bytes, at, 1), 6);
    EXPECT_EQ(is_half ? half_at(bytes, at, 2) : float_at(bytes, at, 2), 0);
  }
}

TEST(PackedWeights, OfProductsHaveTheBiasInTheirPrecision) {
  const Problem problem = shapes::make_problem(shapes::parse_problem("linear src=3 oc=2"));
  const PackedWeights half = packed_product(problem, Precision::kF16);
  const auto bytes = packed(half, {1, 2, 3, 4, 5, 6}, {7, 8});
  EXPECT_EQ(half_at(bytes, 0, 2), 3);
  EXPECT_EQ(half_at(bytes, 0, 3), 0);  // padding of the first row
  EXPECT_EQ(half_at(bytes, 0, 8), 4);
  for (size_t i = 0; i < 8; ++i)
    EXPECT_EQ(half_at(bytes, half.bias_offset(), i), i < 2 ? static_cast<float>(i + 7) : 0);
  const PackedWeights single = packed_product(problem, Precision::kF32);
  const auto floats = packed(single, {1, 2, 3, 4, 5, 6}, {7, 8});
  EXPECT_EQ(float_at(floats, single.bias_offset(), 1), 8);
}

}  // namespace
}  // namespace penult::kernels::cudnn
