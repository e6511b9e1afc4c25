// Every tap of the two networks with real weights equals PyTorch's, at 96 pixels, from the stored
// input: asked for alone, with its neighbour, and all at once. The whole matrix runs for the
// reference, too: half a minute of one core.
//
// Of a large tap the goldens store 512 values; sums, maximum and norm see the rest. Complete maps
// need PyTorch: tools/make_golden.py --compare.

#include <gtest/gtest.h>

#include <optional>

#include "engine/model/model_data.h"
#include "tests/support/tap_check.h"

namespace penult {
namespace {

using testing::RealNet;
using testing::Target;

class EveryTap : public ::testing::TestWithParam<std::tuple<RealNet, Target>> {
 protected:
  void SetUp() override {
    const auto& [net, target] = GetParam();
    if (!is_supported(target.isa)) {
      GTEST_SKIP() << "this machine lacks " << isa_name(target.isa);
    }
    testing::skip_without_assets();
    if (IsSkipped() || HasFatalFailure()) return;
    auto golden = testing::load_golden(std::string(net.name) + "_96");
    ASSERT_TRUE(golden.ok()) << golden.status().message();
    ASSERT_EQ(golden->size, 96);
    model_ = testing::load_real_net(net, testing::Through::kFile);
    ASSERT_NE(model_, nullptr);
    check_.emplace(model_, std::move(golden).value(), target);
  }

  std::shared_ptr<const Model> model_;
  std::optional<testing::TapCheck> check_;
};

TEST_P(EveryTap, IsInModelAndGoldenAlike) {
  check_->expect_same_names();
  EXPECT_GT(check_->taps().size(), 100u);
}

TEST_P(EveryTap, WasMadeFromTheSameWeights) {
  const std::string& meta = check_->golden().meta;
  EXPECT_NE(meta.find(model_->data().info.source_sha256), std::string::npos) << meta;
}

TEST_P(EveryTap, EqualsPyTorchAlone) { check_->expect_alone(); }

TEST_P(EveryTap, EqualsPyTorchWithItsNeighbour) { check_->expect_with_neighbour(); }

TEST_P(EveryTap, EqualsPyTorchAllAtOnce) { check_->expect_all_at_once(); }

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
