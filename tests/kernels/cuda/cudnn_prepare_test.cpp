// What rows of backend cudnn make of the libraries' answers, and how they run what they prepared.
// There is no device: some functions of the libraries are replaced.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "bench/shapes/corpus.h"
#include "kernels/cuda/cudnn/convolution.h"
#include "kernels/cuda/cudnn/matmul.h"
#include "kernels/cuda/row.h"
#include "tests/kernels/cuda/cudnn_support.h"

namespace penult::kernels::cudnn {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kBatch = 8;

Problem problem_of(const char* text) {
  Problem problem = shapes::make_problem(shapes::parse_problem(text));
  const auto lay_out = [](TensorDesc& desc) {
    desc.pixel_stride = cuda::padded(desc.shape.c);
    desc.row_stride = desc.shape.w * desc.pixel_stride;
    desc.image_stride = desc.shape.h * desc.row_stride;
  };
  for (TensorDesc& src : problem.src) lay_out(src);
  lay_out(problem.dst);
  return problem;
}

const Problem& convolution() {
  static const Problem problem = problem_of("conv2d src=16x8x8 oc=16 k=3x3 p=1,1,1,1");
  return problem;
}

class NoStream : public DeviceStream {
 public:
  Status copy(std::byte*, const std::byte*, size_t) override { return {}; }
  Status synchronize() override { return {}; }
  Status begin_recording() override { return {}; }
  Result<std::unique_ptr<DeviceGraph>> end_recording() override {
    return std::unique_ptr<DeviceGraph>();
  }
  Status launch(DeviceGraph&) override { return {}; }
  void* handle() override { return nullptr; }
};

// Runs of so many images, one after the other. All addresses are the same: nothing is computed.
void run_all(const PreparedKernel& prepared, std::initializer_list<int64_t> images) {
  alignas(256) static std::array<std::byte, 4096> memory;
  NoStream stream;
  const auto* src = reinterpret_cast<const float*>(memory.data());
  const auto bound = prepared.bind({.src = &src,
                                    .residual = nullptr,
                                    .dst = reinterpret_cast<float*>(memory.data()),
                                    .packed = memory.data(),
                                    .scratch = memory.data(),
                                    .stream = &stream});
  ASSERT_TRUE(bound.ok()) << bound.status().message();
  for (const int64_t n : images) {
    const Status status = (*bound)->run(n);
    EXPECT_TRUE(status.ok()) << status.message();
  }
}

// What the replaced functions do; of one test at a time.
struct Script {
  std::vector<cudnnStatus_t> of_engines = {};  // instead of asking for a plan; the last one again
  size_t engines = 0;
  bool refuses_mode_a = false;
  int refused_mode_a = 0;                               // so many times
  std::vector<cudnnBackendDescriptor_t> executed = {};  // plans
  cublasStatus_t of_heuristic = CUBLAS_STATUS_SUCCESS;
  int algorithms = 1;
  std::vector<const void*> multiplied = {};  // sources
};
Script script;
decltype(Cudnn::set_attribute) real_set_attribute;

cudnnStatus_t set_attribute(cudnnBackendDescriptor_t descriptor, cudnnBackendAttributeName_t name,
                            cudnnBackendAttributeType_t type, int64_t count, const void* data) {
  if (name == CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG && !script.of_engines.empty()) {
    const size_t last = script.of_engines.size() - 1;
    const cudnnStatus_t status = script.of_engines[std::min(script.engines++, last)];
    if (status != CUDNN_STATUS_SUCCESS) return status;
  }
  if (name == CUDNN_ATTR_ENGINEHEUR_MODE && script.refuses_mode_a &&
      *static_cast<const cudnnBackendHeurMode_t*>(data) == CUDNN_HEUR_MODE_A) {
    ++script.refused_mode_a;
    return CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN;
  }
  return real_set_attribute(descriptor, name, type, count, data);
}

cudnnStatus_t execute(cudnnHandle_t, cudnnBackendDescriptor_t plan, cudnnBackendDescriptor_t) {
  script.executed.push_back(plan);
  return CUDNN_STATUS_SUCCESS;
}

class CudnnPreparing : public testing::WithDescribedDevice {
 protected:
  void SetUp() override {
    WithDescribedDevice::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    script = {};
    scripted_ = *cudnn_;
    real_set_attribute = cudnn_->set_attribute;
    scripted_.set_attribute = set_attribute;
    scripted_.execute = execute;
  }

  Result<std::unique_ptr<PreparedKernel>> prepare() {
    auto target = Target::of_properties(*cudnn_, testing::properties_of("a100"));
    if (!target.ok()) return target.status();
    const PrepareArgs args = {.problem = convolution(), .max_batch = kBatch, .threads = 1};
    return prepare_convolution(scripted_, std::move(target).value(), args, Precision::kF32);
  }

  Cudnn scripted_ = {};
};

TEST_F(CudnnPreparing, OnePlanRunsBatchesOfEverySize) {
  const auto prepared = prepare();
  ASSERT_TRUE(prepared.ok()) << prepared.status().message();
  run_all(**prepared, {kBatch, 5, 1});
  ASSERT_EQ(script.executed.size(), 3U);
  EXPECT_EQ(script.executed[1], script.executed[0]);
  EXPECT_EQ(script.executed[2], script.executed[0]);
}

TEST_F(CudnnPreparing, EnginesThatFailMakeARefusalOfTheLayer) {
  for (const cudnnStatus_t status :
       {CUDNN_STATUS_NOT_SUPPORTED_ARCH_MISMATCH, CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
        CUDNN_STATUS_INTERNAL_ERROR_COMPILATION_FAILED}) {
    script = {.of_engines = {status}};
    const auto prepared = prepare();
    EXPECT_EQ(prepared.status().code(), kRefusesLayer) << status;
    EXPECT_THAT(prepared.status().message(),
                HasSubstr("backend cudnn: make a plan: CUDNN_STATUS_"));
    EXPECT_GT(script.engines, 1U);
  }
}

TEST_F(CudnnPreparing, ABrokenDeviceAndUsedUpMemoryAreNoRefusal) {
  constexpr auto kRefused = CUDNN_STATUS_NOT_SUPPORTED_SHAPE;
  script = {.of_engines = {CUDNN_STATUS_EXECUTION_FAILED_CUDA_DRIVER, kRefused}};
  EXPECT_EQ(prepare().status().code(), StatusCode::kDevice);
  script = {
      .of_engines = {kRefused, CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, kRefused}};
  EXPECT_EQ(prepare().status().code(), StatusCode::kOutOfMemory);
  // Unless another engine does it.
  script = {.of_engines = {CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED, kRefused,
                           CUDNN_STATUS_SUCCESS}};
  EXPECT_TRUE(prepare().ok());
}

TEST_F(CudnnPreparing, AsksTheOtherHeuristicIfTheFirstRefuses) {
  script = {.refuses_mode_a = true};
  const auto prepared = prepare();
  EXPECT_TRUE(prepared.ok()) << prepared.status().message();
  EXPECT_EQ(script.refused_mode_a, 1);
}

// Of calls in which nothing is refused, all but memory is the device.
TEST_F(CudnnPreparing, OutsideOfPreparingThereAreNoRefusals) {
  EXPECT_EQ(status_of(*cudnn_, CUDNN_STATUS_NOT_SUPPORTED, "execute").code(), StatusCode::kDevice);
  EXPECT_EQ(status_of(*cudnn_, CUDNN_STATUS_BAD_PARAM, "execute").code(), StatusCode::kDevice);
  EXPECT_EQ(status_of(*cudnn_, CUDNN_STATUS_ALLOC_FAILED, "execute").code(),
            StatusCode::kOutOfMemory);
  EXPECT_EQ(answer_of(*cudnn_, CUDNN_STATUS_NOT_INITIALIZED, "ask").code(), StatusCode::kDevice);
  EXPECT_EQ(answer_of(*cudnn_, CUDNN_STATUS_NOT_SUPPORTED, "ask").code(), kRefusesLayer);
}

cublasStatus_t get_heuristic(cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t,
                             cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                             cublasLtMatmulPreference_t, int, cublasLtMatmulHeuristicResult_t* best,
                             int* found) {
  *best = {};
  best->workspaceSize = 256;
  *found = script.algorithms;
  return script.of_heuristic;
}

cublasStatus_t matmul(cublasLtHandle_t, cublasLtMatmulDesc_t, const void*, const void*,
                      cublasLtMatrixLayout_t, const void* src, cublasLtMatrixLayout_t, const void*,
                      const void*, cublasLtMatrixLayout_t, void*, cublasLtMatrixLayout_t,
                      const cublasLtMatmulAlgo_t*, void*, size_t, cudaStream_t) {
  script.multiplied.push_back(src);
  return CUBLAS_STATUS_SUCCESS;
}

class CublasLtPreparing : public testing::WithCublasLt {
 protected:
  void SetUp() override {
    WithCublasLt::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    script = {};
    scripted_ = *cublaslt_;
    scripted_.get_heuristic = get_heuristic;
    scripted_.matmul = matmul;
  }

  Result<std::unique_ptr<PreparedKernel>> prepare() {
    static const Problem problem = problem_of("conv2d src=16x8x8 oc=16");
    const PrepareArgs args = {.problem = problem, .max_batch = kBatch, .threads = 1};
    return prepare_matmul(scripted_, nullptr, args, Precision::kF16);
  }

  CublasLt scripted_ = {};
};

TEST_F(CublasLtPreparing, OneAlgorithmRunsBatchesOfEverySize) {
  const auto prepared = prepare();
  ASSERT_TRUE(prepared.ok()) << prepared.status().message();
  EXPECT_EQ((*prepared)->scratch_bytes(), 256U);
  run_all(**prepared, {kBatch, 5, 1});
  ASSERT_EQ(script.multiplied.size(), 3U);
  EXPECT_EQ(script.multiplied[1], script.multiplied[0]);
  EXPECT_EQ(script.multiplied[2], script.multiplied[0]);
}

TEST_F(CublasLtPreparing, TellsRefusalsFromFailures) {
  script.algorithms = 0;
  EXPECT_EQ(prepare().status().code(), kRefusesLayer);
  EXPECT_THAT(prepare().status().message(), HasSubstr("no algorithm"));
  const auto code = [&](cublasStatus_t status) {
    script.of_heuristic = status;
    return prepare().status().code();
  };
  EXPECT_EQ(code(CUBLAS_STATUS_NOT_SUPPORTED), kRefusesLayer);
  EXPECT_EQ(code(CUBLAS_STATUS_INVALID_VALUE), kRefusesLayer);
  EXPECT_EQ(code(CUBLAS_STATUS_ALLOC_FAILED), StatusCode::kOutOfMemory);
  EXPECT_EQ(code(CUBLAS_STATUS_NOT_INITIALIZED), StatusCode::kDevice);
  EXPECT_EQ(code(CUBLAS_STATUS_EXECUTION_FAILED), StatusCode::kDevice);
  EXPECT_EQ(status_of(*cublaslt_, CUBLAS_STATUS_NOT_SUPPORTED, "multiply").code(),
            StatusCode::kDevice);
}

}  // namespace
}  // namespace penult::kernels::cudnn
