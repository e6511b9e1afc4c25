// Every tap of the networks without published weights at hand equals PyTorch's, with weights that
// both draw from a seed (tests/support/seeded_weights.h): asked for alone, with its neighbour, and
// all at once. Needs no assets: the input is in the golden. What is too slow for every run, the
// reference above all, is a sample here; tests/e2e/full_matrix.sh runs the rest.

#include "tests/support/seeded_nets.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "tests/support/tap_check.h"

namespace penult {
namespace {

using testing::SeededNet;
using testing::Target;

// Which taps are asked for alone and with their neighbour: each step-th. All at once sees every tap
// in any case. The steps have no factor in common with the taps of a block (7 to 16), so that they
// meet every place of it. PENULT_FULL_MATRIX=1: each tap (tests/e2e/full_matrix.sh).
size_t step_for(const SeededNet& net, const Target& target) {
  if (std::getenv("PENULT_FULL_MATRIX") != nullptr) return 1;
  if (target.backend == "reference") return net.heavy ? 23 : 5;
  return net.heavy && target.isa < Isa::kAvx2 ? 7 : 1;
}

class SeededNets : public ::testing::TestWithParam<std::tuple<SeededNet, Target>> {
 protected:
  void SetUp() override {
    const auto& [net, target] = GetParam();
    if (!is_supported(target.isa)) {
      GTEST_SKIP() << "this machine lacks " << isa_name(target.isa);
    }
    auto golden = testing::load_golden(net);
    ASSERT_TRUE(golden.ok()) << golden.status().message();
    const auto model = testing::seeded_model(net.name);
    ASSERT_NE(model, nullptr);
    check_.emplace(model, std::move(golden).value(), target);
  }

  size_t step() const { return step_for(std::get<0>(GetParam()), std::get<1>(GetParam())); }

  std::optional<testing::TapCheck> check_;
};

TEST_P(SeededNets, EqualsPyTorchAlone) { check_->expect_alone(step()); }

TEST_P(SeededNets, EqualsPyTorchWithItsNeighbour) { check_->expect_with_neighbour(step()); }

TEST_P(SeededNets, EqualsPyTorchAllAtOnce) {
  check_->expect_same_names();
  check_->expect_all_at_once();
}

INSTANTIATE_TEST_SUITE_P(Nets, SeededNets,
                         ::testing::Combine(::testing::ValuesIn(testing::seeded_nets().begin(),
                                                                testing::seeded_nets().end()),
                                            ::testing::ValuesIn(testing::all_targets())),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param).name) + "_" +
                                  std::get<1>(test.param).name();
                         });

}  // namespace
}  // namespace penult
