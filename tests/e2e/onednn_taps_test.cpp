// Every tap of the networks equals PyTorch's with the backend onednn: asked for alone, with its
// neighbour, and all at once. Which oneDNN it is PENULT_ONEDNN_MODULE decides; tests/run.sh runs
// this with both. Of the large networks the taps alone and with a neighbour are a sample here, and
// whole in tests/e2e/full_matrix.sh.

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "tests/support/onednn_test.h"
#include "tests/support/seeded_nets.h"
#include "tests/support/tap_check.h"

namespace penult {
namespace {

using testing::RealNet;
using testing::SeededNet;

const testing::Target kTarget = {.backend = "onednn", .isa = detected_isa()};

size_t step_for(bool heavy) {
  if (std::getenv("PENULT_FULL_MATRIX") != nullptr) return 1;
  return heavy ? 5 : 1;
}

struct Counts {
  int library = 0, convolutions = 0;
};

// Steps of a run to the last tap at the golden's size.
Counts count_steps(const std::shared_ptr<const Model>& model, int64_t size) {
  Counts counts;
  const auto extractor =
      testing::make_extractor(model, {{testing::tap_names(*model).back()}, kTarget, size});
  if (extractor == nullptr) return counts;
  for (const StepInfo& step : extractor->steps()) {
    counts.library += step.kernel.ends_with("_onednn");
    counts.convolutions += step.kernel.starts_with("conv2d_");
  }
  EXPECT_GT(counts.convolutions, 0);
  return counts;
}

template <class Net>
class OnednnTaps : public testing::OnednnTest<::testing::TestWithParam<Net>> {
 protected:
  void check(const std::shared_ptr<const Model>& model, testing::Golden golden, bool heavy) {
    // Else the comparisons below would be those of our own kernels.
    const Counts counts = count_steps(model, golden.size);
    EXPECT_GE(2 * counts.library, counts.convolutions);
    testing::TapCheck check(model, std::move(golden), kTarget);
    check.expect_alone(step_for(heavy));
    check.expect_with_neighbour(step_for(heavy));
    check.expect_all_at_once();
  }
};

class OnednnSeededNets : public OnednnTaps<SeededNet> {};

TEST_P(OnednnSeededNets, EqualPyTorch) {
  auto golden = testing::load_golden(GetParam());
  ASSERT_TRUE(golden.ok()) << golden.status().message();
  const auto model = testing::seeded_model(GetParam().name);
  ASSERT_NE(model, nullptr);
  check(model, std::move(golden).value(), GetParam().heavy);
}

class OnednnRealNets : public OnednnTaps<RealNet> {};

TEST_P(OnednnRealNets, EqualPyTorch) {
  testing::skip_without_assets();
  if (IsSkipped() || HasFatalFailure()) return;
  auto golden = testing::load_golden(std::string(GetParam().name) + "_96");
  ASSERT_TRUE(golden.ok()) << golden.status().message();
  const auto model = testing::load_real_net(GetParam(), testing::Through::kMemory);
  ASSERT_NE(model, nullptr);
  check(model, std::move(golden).value(), false);
}

INSTANTIATE_TEST_SUITE_P(Nets, OnednnSeededNets,
                         ::testing::ValuesIn(testing::seeded_nets().begin(),
                                             testing::seeded_nets().end()),
                         [](const auto& test) { return std::string(test.param.name); });

INSTANTIATE_TEST_SUITE_P(Nets, OnednnRealNets,
                         ::testing::ValuesIn(testing::real_nets().begin(),
                                             testing::real_nets().end()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace penult
