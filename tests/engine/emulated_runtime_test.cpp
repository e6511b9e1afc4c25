// What an extractor asks of a device's runtime: whatever call fails, wherever the caller's thread
// computes besides, and how much memory it takes.

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "engine/ops/op.h"
#include "kernels/cuda/emulated/emulator.h"
#include "kernels/cuda/emulated/faults.h"
#include "kernels/cuda/load.h"
#include "tests/support/random_model.h"
#include "tests/support/random_net.h"

namespace penult {
namespace {

using gpu::emulated::Alive;
using gpu::emulated::Call;
using gpu::emulated::Happened;

constexpr int64_t kSize = 6;

// Few layers, for each call of a run is a run of the test.
Graph small_net() {
  testing::RandomNet net(5);
  const ValueId conv = net.conv("conv", net.input(), 3, {.oc = 5, .kernel = 3});
  const ValueId relu = net.node(kRelu, "relu", {conv});
  const ValueId pool = net.node(kGlobalAvgPool, "pool", {relu});
  net.linear("linear", net.node(kFlattenOp, "flatten", {pool}), 5, 7);
  return net.finish(3, kSize, kSize);
}

// The module has an emulator of its own, of which a program sees this much.
const gpu::emulated::TestHooks* hooks_of_module() {
  const auto module = kernels::load_emulated();
  Dl_info info;
  if (!module.ok() || dladdr(*module, &info) == 0) return nullptr;
  void* const handle = dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return nullptr;
  auto* function = reinterpret_cast<gpu::emulated::TestHooksFunction*>(
      dlsym(handle, gpu::emulated::kTestHooksSymbol));
  return function == nullptr ? nullptr : function();
}

class EmulatedRuntime : public ::testing::Test {
 protected:
  void SetUp() override {
    hooks_ = hooks_of_module();
    ASSERT_NE(hooks_, nullptr);
    options_.taps = {"relu", "linear"};
    options_.pooling = Pooling::kMax;
    options_.max_batch = 2;
    options_.device = "emulated";
  }
  void TearDown() override {
    if (hooks_ != nullptr) hooks_->set_device(gpu::emulated::kNoDevice);
  }

  // Into `features` unless it fails.
  Status run(Extractor& extractor, testing::Features& features) const {
    testing::Features room;
    for (const OutputInfo& output : extractor.outputs())
      room.emplace_back(static_cast<size_t>(2 * output.elems));
    const std::vector<std::span<float>> places(room.begin(), room.end());
    const Status status = extractor.run(images_, 2, places);
    if (status.ok()) features = std::move(room);
    return status;
  }

  Happened walk_to(const gpu::emulated::Fault& fault, StatusCode code,
                   const testing::Features& expected);

  const gpu::emulated::TestHooks* hooks_ = nullptr;
  ExtractorOptions options_;
  const std::shared_ptr<const Model> model_ = testing::model_of(small_net(), kSize);
  const std::vector<float> images_ = testing::random_images(3, 2, kSize);
};

// Create and run with the fault, then without it, then give everything back.
Happened EmulatedRuntime::walk_to(const gpu::emulated::Fault& fault, StatusCode code,
                                  const testing::Features& expected) {
  testing::Features features;
  hooks_->set_fault(fault);
  auto extractor = Extractor::create(model_, options_);
  const Status status = extractor.ok() ? run(**extractor, features) : extractor.status();
  const Happened happened = hooks_->happened();
  hooks_->set_fault({});
  if (status.ok()) {
    // What cannot be recorded is given call by call; and destructors, which enter their device,
    // have nobody to tell. (Others that do not get there have no device: this thread's is another
    // one.)
    const bool enters = happened.first == Call::kGetContext || happened.first == Call::kUseDevice;
    EXPECT_TRUE(happened.failed == 0 || happened.recording || enters);
    EXPECT_EQ(features, expected);
  } else {
    EXPECT_EQ(status.code(), code) << status.message();
  }
  if (!extractor.ok()) extractor = Extractor::create(model_, options_);
  EXPECT_TRUE(extractor.ok() && run(**extractor, features).ok());
  EXPECT_EQ(features, expected);
  if (extractor.ok()) extractor->reset();
  EXPECT_EQ(hooks_->alive(), Alive());
  return happened;
}

TEST_F(EmulatedRuntime, FailuresAreErrorsAndLeaveNothingBehind) {
  testing::Features expected;
  {
    auto extractor = Extractor::create(model_, options_);
    ASSERT_TRUE(extractor.ok()) << extractor.status().message();
    ASSERT_TRUE(run(**extractor, expected).ok());
    EXPECT_GT(hooks_->alive().memory, 0);
  }
  ASSERT_EQ(hooks_->alive(), Alive());
  constexpr int kElsewhere = 1;
  hooks_->set_device(kElsewhere);
  for (const auto& [error, code] :
       {std::pair(gpu::emulated::kOutOfMemory, StatusCode::kOutOfMemory),
        std::pair(gpu::emulated::kLaunchFailed, StatusCode::kDevice)}) {
    for (const bool lasts : {false, true}) {
      int64_t call = 1;
      for (; !HasFailure(); ++call) {
        SCOPED_TRACE(std::to_string(error) + " from call " + std::to_string(call) +
                     (lasts ? " on" : ""));
        const Happened happened = walk_to({call, error, lasts}, code, expected);
        EXPECT_EQ(hooks_->device(), kElsewhere);
        if (happened.failed == 0) break;
      }
      EXPECT_GT(call, 60);  // that many calls there are, and more
    }
  }
}

// Also if that is none, which CUDA's runtime changes wherever it is called.
TEST_F(EmulatedRuntime, NoCallChangesTheDeviceOfItsThread) {
  for (const int device : {gpu::emulated::kNoDevice, 1}) {
    hooks_->set_device(device);
    const auto is_as_before = [&] { return hooks_->device() == device; };
    EXPECT_TRUE(Extractor::planned_bytes(model_, options_).ok());
    EXPECT_TRUE(is_as_before()) << "planned_bytes";
    auto extractor = Extractor::create(model_, options_);
    ASSERT_TRUE(extractor.ok()) << extractor.status().message();
    EXPECT_TRUE(is_as_before()) << "create";
    auto shared = (*extractor)->share();
    ASSERT_TRUE(shared.ok()) << shared.status().message();
    EXPECT_TRUE(is_as_before()) << "share";
    EXPECT_TRUE((*extractor)->reshape(kSize, kSize, 3).ok());
    EXPECT_TRUE(is_as_before()) << "reshape";
    testing::Features features;
    EXPECT_TRUE(run(**extractor, features).ok());  // fewer than a full batch
    EXPECT_TRUE(run(**shared, features).ok());
    EXPECT_TRUE(is_as_before()) << "run";
    shared->reset();
    extractor->reset();
    EXPECT_TRUE(is_as_before()) << "the end";
    EXPECT_EQ(hooks_->alive(), Alive());
  }
}

TEST_F(EmulatedRuntime, OpeningADeviceChangesNothingEither) {
  const auto module = kernels::load_emulated();
  ASSERT_TRUE(module.ok());
  hooks_->set_device(1);
  const auto device = (*module)->open_device(0);
  ASSERT_TRUE(device.ok()) << device.status().message();
  EXPECT_EQ(hooks_->device(), 1);
  const auto scope = (*device)->enter();
  EXPECT_TRUE(scope.ok());
  EXPECT_EQ(hooks_->device(), 0);
}

TEST_F(EmulatedRuntime, WeightsAreThereOnceForAllBatchesOfASize) {
  auto made = Extractor::create(model_, options_);
  ASSERT_TRUE(made.ok()) << made.status().message();
  Extractor& extractor = **made;
  testing::Features expected, features;
  ASSERT_TRUE(run(extractor, expected).ok());
  const Alive first = hooks_->alive();
  for (const int64_t batch : {3, 4, 5, 6, 7, 2}) {  // more than are kept
    ASSERT_TRUE(extractor.reshape(kSize, kSize, batch).ok());
    EXPECT_EQ(hooks_->alive(), first) << batch;
    ASSERT_TRUE(run(extractor, features).ok());
    EXPECT_EQ(features, expected) << batch;
  }
  // Of other sizes, which may have other kernels, one for each plan that is kept.
  for (const int64_t size : {7, 8, 9, 10, 11, 12})
    ASSERT_TRUE(extractor.reshape(size, size, 2).ok());
  EXPECT_EQ(hooks_->alive().memory, first.memory + 3);
  made->reset();
  EXPECT_EQ(hooks_->alive(), Alive());
}

}  // namespace
}  // namespace penult
