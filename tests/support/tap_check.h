#pragma once

// The comparison of a model's taps with a golden, in the combinations in which they may be asked
// for: what is asked for decides what is fused and what stays in memory, so these are different
// plans. To be used inside a test.

#include <memory>
#include <string>
#include <vector>

#include "tests/support/golden.h"
#include "tests/support/real_nets.h"

namespace penult::testing {

class TapCheck {
 public:
  TapCheck(std::shared_ptr<const Model> model, Golden golden, Target target);
  ~TapCheck();  // prints the worst of its comparisons
  TapCheck(const TapCheck&) = delete;
  TapCheck& operator=(const TapCheck&) = delete;

  const std::vector<std::string>& taps() const { return taps_; }
  const Golden& golden() const { return golden_; }

  void expect_same_names() const;
  // Of each `step` taps the first is asked for alone, or together with the one after it.
  void expect_alone(size_t step = 1);
  void expect_with_neighbour(size_t step = 1);
  void expect_all_at_once() { expect_golden(taps_); }

 private:
  // One run, every map of which is compared.
  void expect_golden(const std::vector<std::string>& taps);

  std::shared_ptr<const Model> model_;
  Golden golden_;
  Target target_;
  std::vector<std::string> taps_;
  Worst worst_;
  int compared_ = 0;
};

}  // namespace penult::testing
