// What becomes of a layer that a library refuses only once it prepares.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ops/op.h"
#include "engine/plan/plan.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

using kernels::Backend;
using kernels::Kernel;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Prepared = Result<std::unique_ptr<kernels::PreparedKernel>>;

class Nothing : public kernels::PreparedKernel {
 public:
  size_t packed_bytes() const override { return 0; }
  Status pack(kernels::Weights&, std::byte*) const override { return {}; }
  size_t scratch_bytes() const override { return 0; }
  Result<std::unique_ptr<kernels::BoundKernel>> bind(const kernels::BindArgs&) const override {
    return Status(StatusCode::kInternal, "not bound here");
  }
  std::string implementation() const override { return "nothing"; }
};

template <StatusCode kCode>
Prepared fails(const kernels::PrepareArgs&) {
  return Status(kCode, "says why");
}
Prepared succeeds(const kernels::PrepareArgs& args) {
  EXPECT_GT(args.problem.dst.image_stride, 0) << "it has a layout";
  EXPECT_EQ(args.max_batch, 3);
  return std::unique_ptr<kernels::PreparedKernel>(std::make_unique<Nothing>());
}

std::string declines(const kernels::Problem&) { return "not today"; }

constexpr auto kRefuses = fails<kernels::kRefusesLayer>;

constexpr Kernel row(const char* name, Backend backend, decltype(Kernel::prepare) prepare,
                     decltype(Kernel::declines) declines = kernels::accepts_all) {
  return {.name = name,
          .backend = backend,
          .isa = Isa::kScalar,
          .declines = declines,
          .prepare = prepare};
}

class PrepareKernels : public ::testing::Test {
 protected:
  // One convolution, by a module with these rows for it.
  Status prepare(std::span<const Kernel> rows, const PlanOptions& options) {
    testing::RandomNet net(1);
    net.conv("c", net.input(), 3, {.oc = 5, .kernel = 3});
    const Graph graph = net.finish(3, 8, 8);
    const kernels::Table tables[] = {{"conv2d", rows}};
    const kernels::BackendModule module = {.stamp = {},
                                           .file = "fake.so",
                                           .library = "fake",
                                           .tables = tables,
                                           .run_team = nullptr,
                                           .check_process = nullptr};
    auto selected = select_kernels(graph, options, &module);
    if (!selected.ok()) return selected.status();
    steps_ = std::move(selected).value();
    std::vector<Buffer> buffers;
    choose_layout(graph, steps_, buffers);
    return prepare_kernels(options, &module, steps_);
  }

  const PlanOptions on_device_ = {
      .max_batch = 3, .backend = Backend::kCudnn, .device = kernels::DeviceKind::kCuda};
  std::vector<Step> steps_;
};

TEST_F(PrepareKernels, ALayerThatIsRefusedGoesToTheNextRowThatTakesIt) {
  static constexpr Kernel kRows[] = {row("declining", Backend::kCudnn, succeeds, declines),
                                     row("first", Backend::kCudnn, kRefuses),
                                     row("second", Backend::kCudnn, kRefuses),
                                     row("onednn's", Backend::kOnednn, succeeds),
                                     row("ours, declining", Backend::kNative, succeeds, declines),
                                     row("ours", Backend::kNative, succeeds),
                                     row("not asked", Backend::kNative, succeeds)};
  const Status status = prepare(kRows, on_device_);
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_STREQ(steps_[0].kernel->name, "ours");
  EXPECT_NE(steps_[0].prepared, nullptr);
  EXPECT_THAT(steps_[0].refusals, ElementsAre("declining: not today", "first: says why",
                                              "second: says why", "ours, declining: not today"));
}

TEST_F(PrepareKernels, AKernelThatPreparesNothingMayComeNext) {
  static constexpr Kernel kRows[] = {row("first", Backend::kCudnn, kRefuses),
                                     row("plain", Backend::kNative, nullptr)};
  ASSERT_TRUE(prepare(kRows, on_device_).ok());
  EXPECT_STREQ(steps_[0].kernel->name, "plain");
  EXPECT_EQ(steps_[0].prepared, nullptr);
}

TEST_F(PrepareKernels, IfNoRowIsLeftAllTheirReasonsAreTheError) {
  static constexpr Kernel kRows[] = {row("first", Backend::kCudnn, kRefuses),
                                     row("last", Backend::kNative, succeeds, declines)};
  const Status status = prepare(kRows, on_device_);
  EXPECT_EQ(status.code(), StatusCode::kModelInvalid);
  EXPECT_THAT(status.message(), HasSubstr("no kernel can run it; first: says why; last: not"));
}

// Another row would meet the same.
TEST_F(PrepareKernels, WhatIsBrokenOrUsedUpIsAnError) {
  static constexpr Kernel kBroken[] = {row("first", Backend::kCudnn, fails<StatusCode::kDevice>),
                                       row("ours", Backend::kNative, succeeds)};
  EXPECT_EQ(prepare(kBroken, on_device_).code(), StatusCode::kDevice);
  static constexpr Kernel kFull[] = {row("first", Backend::kCudnn, fails<StatusCode::kOutOfMemory>),
                                     row("ours", Backend::kNative, succeeds)};
  EXPECT_EQ(prepare(kFull, on_device_).code(), StatusCode::kOutOfMemory);
}

// Whose other rows may want halos and strides that the maps have not.
TEST_F(PrepareKernels, OnTheProcessorARefusalIsAnError) {
  static constexpr Kernel kRows[] = {row("first", Backend::kOnednn, kRefuses),
                                     row("second", Backend::kOnednn, succeeds)};
  const Status status = prepare(kRows, {.max_batch = 3, .backend = Backend::kOnednn});
  EXPECT_EQ(status.code(), kernels::kRefusesLayer);
  EXPECT_EQ(status.message(), "says why");
}

}  // namespace
}  // namespace penult
