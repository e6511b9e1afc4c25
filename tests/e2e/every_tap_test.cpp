// Every tap of the two networks with real weights equals PyTorch's, at 96 pixels, from the stored
// input: asked for alone, with its neighbour, and all at once. What is asked for decides what is
// fused and what stays in memory, so these are different plans. The whole matrix runs for the
// reference, too: half a minute of one core.
//
// Of a large tap the goldens store 512 values; sums, maximum and norm see the rest. Complete maps
// need PyTorch: tools/make_golden.py --compare.

#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "engine/model/model_data.h"
#include "tests/support/golden.h"
#include "tests/support/real_nets.h"

namespace penult {
namespace {

using testing::Agreement;
using testing::Golden;
using testing::Maps;
using testing::RealNet;
using testing::Target;

constexpr int64_t kSize = 96;

class EveryTap : public ::testing::TestWithParam<std::tuple<RealNet, Target>> {
 protected:
  void SetUp() override {
    if (!is_supported(target().isa)) {
      GTEST_SKIP() << "this machine lacks " << isa_name(target().isa);
    }
    testing::skip_without_assets();
    if (IsSkipped() || HasFatalFailure()) return;
    auto golden = testing::load_golden(std::string(net().name) + "_96");
    ASSERT_TRUE(golden.ok()) << golden.status().message();
    golden_ = std::move(golden).value();
    ASSERT_EQ(golden_.size, kSize);
    model_ = testing::load_real_net(net(), testing::Through::kFile);
    ASSERT_NE(model_, nullptr);
    taps_ = testing::tap_names(*model_);
  }
  void TearDown() override {
    if (compared_ == 0) return;
    std::cout << net().name << " " << target().name() << ": " << compared_ << " comparisons, "
              << worst_.to_string() << "\n";
  }

  const RealNet& net() const { return std::get<0>(GetParam()); }
  const Target& target() const { return std::get<1>(GetParam()); }

  // One run, every map of which is compared.
  void expect_golden(const std::vector<std::string>& taps) {
    const Maps maps = testing::extract(model_, {taps, target(), kSize}, golden_.input);
    ASSERT_EQ(maps.outputs.size(), taps.size()) << taps[0];
    for (size_t i = 0; i < maps.outputs.size(); ++i) {
      const OutputInfo& output = maps.outputs[i];
      const auto* want = golden_.find(output.name);
      ASSERT_NE(want, nullptr) << output.name << ": the golden lacks this tap";
      const auto agreement = testing::compare(*want, maps.values[i], output.dims[0]);
      ASSERT_TRUE(agreement.ok()) << agreement.status().message();
      EXPECT_TRUE(agreement->within_tolerance())
          << output.name << " of " << taps.size() << ": " << agreement->to_string();
      worst_.add(output.name, *agreement);
      ++compared_;
    }
  }

  Golden golden_;
  std::shared_ptr<const Model> model_;
  std::vector<std::string> taps_;
  testing::Worst worst_;
  int compared_ = 0;
};

TEST_P(EveryTap, IsInModelAndGoldenAlike) {
  std::set<std::string> golden, model(taps_.begin(), taps_.end());
  for (const auto& tap : golden_.taps) golden.insert(tap.name);
  EXPECT_EQ(model, golden);
  EXPECT_EQ(model.size(), taps_.size());
  EXPECT_GT(model.size(), 100u);
}

TEST_P(EveryTap, WasMadeFromTheSameWeights) {
  EXPECT_NE(golden_.meta.find(model_->data().info.source_sha256), std::string::npos)
      << golden_.meta;
}

TEST_P(EveryTap, EqualsPyTorchAlone) {
  for (const std::string& tap : taps_) expect_golden({tap});
}

TEST_P(EveryTap, EqualsPyTorchWithItsNeighbour) {
  for (size_t i = 1; i < taps_.size(); ++i) expect_golden({taps_[i - 1], taps_[i]});
}

TEST_P(EveryTap, EqualsPyTorchAllAtOnce) { expect_golden(taps_); }

INSTANTIATE_TEST_SUITE_P(RealNets, EveryTap,
                         ::testing::Combine(::testing::ValuesIn(testing::real_nets().begin(),
                                                                testing::real_nets().end()),
                                            ::testing::ValuesIn(testing::all_targets())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  std::get<1>(test.param).name();
                         });

}  // namespace
}  // namespace penult
