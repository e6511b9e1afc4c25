#include "tests/support/tap_check.h"

#include <gtest/gtest.h>

#include <iostream>
#include <set>
#include <utility>

namespace penult::testing {

TapCheck::TapCheck(std::shared_ptr<const Model> model, Golden golden, Target target)
    : model_(std::move(model)),
      golden_(std::move(golden)),
      target_(std::move(target)),
      taps_(tap_names(*model_)) {}

TapCheck::~TapCheck() {
  if (compared_ == 0) return;
  std::cout << model_->architecture() << " " << target_.name() << ": " << compared_
            << " comparisons, " << worst_.to_string() << "\n";
}

void TapCheck::expect_same_names() const {
  std::set<std::string> golden, model(taps_.begin(), taps_.end());
  for (const auto& tap : golden_.taps) golden.insert(tap.name);
  EXPECT_EQ(model, golden);
  EXPECT_EQ(model.size(), taps_.size());
}

void TapCheck::expect_alone(size_t step) {
  for (size_t i = 0; i < taps_.size(); i += step) expect_golden({taps_[i]});
}

void TapCheck::expect_with_neighbour(size_t step) {
  for (size_t i = 1; i < taps_.size(); i += step) expect_golden({taps_[i - 1], taps_[i]});
}

void TapCheck::expect_golden(const std::vector<std::string>& taps) {
  const Maps maps = extract(model_, {taps, target_, golden_.size}, golden_.input);
  ASSERT_EQ(maps.outputs.size(), taps.size()) << taps[0];
  for (size_t i = 0; i < maps.outputs.size(); ++i) {
    const OutputInfo& output = maps.outputs[i];
    const GoldenTap* want = golden_.find(output.name);
    ASSERT_NE(want, nullptr) << output.name << ": the golden lacks this tap";
    const auto agreement = compare(*want, maps.values[i], output.dims[0]);
    ASSERT_TRUE(agreement.ok()) << agreement.status().message();
    EXPECT_TRUE(agreement->within_tolerance())
        << output.name << " of " << taps.size() << ": " << agreement->to_string();
    worst_.add(output.name, *agreement);
    ++compared_;
  }
}

}  // namespace penult::testing
