// Graphs of cuDNN without a GPU, for devices that are only described (properties_*.json, by
// NVIDIA's published numbers). Proven: cuDNN takes every graph that the rows make of two nets and
// proposes engines for it, and it makes plans of those graphs for which it brings kernels along.
// Not proven, for it takes a device: plans whose kernels cuDNN compiles, and what any plan
// computes. Nothing is executed here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "bench/shapes/corpus.h"
#include "kernels/cuda/cudnn/graph.h"
#include "kernels/cuda/cudnn/tables.h"
#include "tests/kernels/cuda/cudnn_support.h"

namespace penult::kernels::cudnn {
namespace {

using testing::can_open;
using ::testing::HasSubstr;
using testing::properties_of;

bool is_taken(const Problem& problem, Precision precision) {
  for (const Table& table : cudnn_tables()) {
    for (const Kernel& kernel : table.kernels) {
      const bool is_graph = std::string_view(kernel.name).starts_with("conv2d_graph_");
      if (is_graph && kernel.precision == precision) return kernel.declines(problem).empty();
    }
  }
  ADD_FAILURE() << "no such row";
  return false;
}

class CudnnGraph : public testing::WithDescribedDevice {};

// All convolutions of a net for one device, in one precision.
struct Coverage {
  const char* net;
  const char* device;
  Precision precision;
};

std::string name_of(const ::testing::TestParamInfo<Coverage>& info) {
  const Coverage& p = info.param;
  return std::string(p.net) + "_" + p.device + (p.precision == Precision::kF16 ? "_f16" : "_f32");
}

class CudnnCoverage : public CudnnGraph, public ::testing::WithParamInterface<Coverage> {
 protected:
  void SetUp() override {
    CudnnGraph::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    auto target = Target::of_properties(*cudnn_, properties_of(GetParam().device));
    ASSERT_TRUE(target.ok()) << target.status().message();
    target_ = std::move(target).value();
  }

  // Those that the row takes, for batches of one and of several.
  template <class Check>
  void for_each_graph(const Check& check) {
    int graphs = 0;
    for (const shapes::ProblemSpec& spec : shapes::read_corpus(GetParam().net)) {
      if (spec.op != "conv2d") continue;
      const Problem problem = shapes::make_problem(spec);
      if (!is_taken(problem, GetParam().precision)) continue;
      for (const int64_t n : {1, 8}) {
        SCOPED_TRACE(spec.to_string() + ", n = " + std::to_string(n));
        const auto graph = ConvolutionGraph::make(
            *cudnn_, convolution_of(problem, n, GetParam().precision), target_);
        ASSERT_TRUE(graph.ok()) << graph.status().message();
        check(*graph);
        ++graphs;
      }
    }
    EXPECT_GT(graphs, 40);
  }

  Target target_;
};

// Those whose kernels cuDNN brings along.
class CudnnPlans : public CudnnCoverage {};

TEST_P(CudnnPlans, AreMadeOfEveryConvolution) {
  for_each_graph([&](const ConvolutionGraph& graph) {
    const auto plan = make_plan(*cudnn_, graph, target_);
    EXPECT_TRUE(plan.ok()) << plan.status().message();
  });
}

INSTANTIATE_TEST_SUITE_P(Nets, CudnnPlans,
                         ::testing::Values(Coverage{"mobilenet_v2", "a100", Precision::kF32},
                                           Coverage{"mobilenet_v2", "h100", Precision::kF32},
                                           Coverage{"resnet50", "a100", Precision::kF32},
                                           Coverage{"resnet50", "h100", Precision::kF32},
                                           Coverage{"resnet50", "a100", Precision::kF16},
                                           Coverage{"resnet50", "h100", Precision::kF16}),
                         name_of);

// cuDNN proposes engines that compile only where it finds a driver. The toolkit has one of empty
// functions, and a library that is open already is found by its name wherever it came from.
class CudnnProposals : public CudnnCoverage {
 protected:
  void SetUp() override {
    CudnnCoverage::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    static const bool has_driver = can_open("libcuda.so.1") || can_open(PENULT_CUDA_STUB);
    if (!has_driver) GTEST_SKIP() << "neither a driver nor " << PENULT_CUDA_STUB;
  }
};

TEST_P(CudnnProposals, AreMadeForEveryConvolution) {
  for_each_graph([&](const ConvolutionGraph& graph) {
    const auto proposals = graph.proposals(target_, CUDNN_HEUR_MODE_A);
    ASSERT_TRUE(proposals.ok()) << proposals.status().message();
    const auto kept = std::ranges::count_if(*proposals, [&](const EngineConfig& config) {
      return keeps_promises(config, GetParam().precision);
    });
    EXPECT_GT(kept, 0) << "of " << proposals->size();
  });
}

INSTANTIATE_TEST_SUITE_P(Nets, CudnnProposals,
                         ::testing::Values(Coverage{"mobilenet_v2", "a100", Precision::kF16},
                                           Coverage{"mobilenet_v2", "h100", Precision::kF16},
                                           Coverage{"resnet50", "a100", Precision::kF16},
                                           Coverage{"resnet50", "h100", Precision::kF16}),
                         name_of);

TEST(KeepsPromises, ForF32OnlyWithoutTensorCores) {
  const auto with = [](cudnnBackendNumericalNote_t note) {
    EngineConfig config;
    config.notes = {note};
    return config;
  };
  const EngineConfig tensor_core = with(CUDNN_NUMERICAL_NOTE_TENSOR_CORE);
  EXPECT_TRUE(keeps_promises(tensor_core, Precision::kF16));
  EXPECT_FALSE(keeps_promises(tensor_core, Precision::kF32));
  for (const auto note :
       {CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_FFT,
        CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC, CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION}) {
    EXPECT_FALSE(keeps_promises(with(note), Precision::kF16)) << note;
    EXPECT_FALSE(keeps_promises(with(note), Precision::kF32)) << note;
  }
}

TEST_F(CudnnGraph, RefusesAContradictionInItsOwnWords) {
  const auto target = Target::of_properties(*cudnn_, properties_of("a100"));
  ASSERT_TRUE(target.ok()) << target.status().message();
  const Problem problem =
      shapes::make_problem(shapes::parse_problem("conv2d src=16x8x8 oc=16 k=3x3"));
  Convolution convolution = convolution_of(problem, 1, Precision::kF16);
  ++convolution.oh;
  const auto graph = ConvolutionGraph::make(*cudnn_, convolution, *target);
  EXPECT_EQ(graph.status().code(), kRefusesLayer);
  EXPECT_THAT(graph.status().message(), HasSubstr("CUDNN_STATUS_BAD_PARAM"));
  EXPECT_EQ(Target::of_properties(*cudnn_, "{}").status().code(), StatusCode::kDevice);
}

}  // namespace
}  // namespace penult::kernels::cudnn
